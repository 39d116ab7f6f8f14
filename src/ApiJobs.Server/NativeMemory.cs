using System.Runtime.InteropServices;

namespace ApiJobs.Server;

/// <summary>Keeps the C library from hoarding memory.</summary>
internal static class NativeMemory
{
    private const int MaxArenas = -8;

    /// <summary>Has native allocations share two pools of memory. It must be called before threads have got their own.</summary>
    /// <remarks>
    /// glibc gives threads up to eight pools a core, and each keeps what it once needed. SQLite's pages are allocated and freed
    /// by whichever thread reads or writes, so every pool ends up with some of them: a tenth of the memory of a long
    /// upload. <c>MALLOC_ARENA_MAX</c> in the environment says otherwise; other C libraries have no such pools.
    /// </remarks>
    public static void ShareArenas()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("MALLOC_ARENA_MAX") is not null)
            return;
        try
        {
            _ = SetOption(MaxArenas, 2);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }

    [DllImport("libc.so.6", EntryPoint = "mallopt", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SetOption(int option, int value);
}
