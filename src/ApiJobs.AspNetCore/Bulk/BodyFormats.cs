using ApiJobs.Intake;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>Finds the reader for what a request says its body is.</summary>
internal static class BodyFormats
{
    public static RecordReader? OpenReader(HttpRequest request, IntakeOptions intake) => null;

    public static string Refusal(HttpRequest request) => "";
}
