namespace ApiJobs.Crash.Tests.Rounds;

internal static class LongRound
{
    public static Task<int> RunAsync(string[] options) => Task.FromResult(options.Length);
}
