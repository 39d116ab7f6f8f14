using ApiJobs.Crash.Tests.Sites;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>A wall clock that is days off, for one process: the settings that start it with libfaketime.</summary>
internal static class SkewedClock
{
    public static IReadOnlyDictionary<string, string> ThreeDaysAhead => new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = Shell.FindProgram("libfaketime.so.1", "/usr/lib/*/faketime"),
        ["FAKETIME"] = "+3d",
        // The monotonic clock is what timers and timeouts go by; a wrong wall clock leaves it alone.
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        // What libfaketime does by itself for newer C libraries: it would let every timed wait of .NET end at once.
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
    };
}
