using System.Text;

namespace ApiJobs.Sqlite.Lanes;

/// <summary>Cuts what operators get to read of a fault.</summary>
internal static class FirstKilobyte
{
    private const int Bytes = 1_024;

    /// <summary>The most whole characters of a text that fit.</summary>
    internal static string Of(string text)
    {
        Span<byte> buffer = stackalloc byte[Bytes];
        Encoding.UTF8.GetEncoder().Convert(text, buffer, flush: true, out _, out var used, out var isWhole);
        return isWhole ? text : Encoding.UTF8.GetString(buffer[..used]);
    }
}
