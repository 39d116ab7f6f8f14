using System.Globalization;
using ApiJobs.Crash.Tests.Load;

namespace ApiJobs.Crash.Tests.Scenarios;

/// <summary>The seed of a test: a new one each time, or the one that is to be repeated.</summary>
internal static class Seed
{
    private const string Variable = "APIJOBS_CRASH_SEED";

    public static int Next()
    {
        var given = Environment.GetEnvironmentVariable(Variable);
        var seed = given is null ? Dice.NewSeed() : int.Parse(given, CultureInfo.InvariantCulture);
        Console.WriteLine($"{TestContext.Current.TestMethod?.MethodName}: {Variable}={seed}");
        return seed;
    }
}
