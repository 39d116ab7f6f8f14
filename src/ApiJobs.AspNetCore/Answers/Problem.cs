using System.Text.Json;
using ApiJobs.Intake;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Answers;

/// <summary>A kind of problem; all are declared in <see cref="Problems"/>.</summary>
/// <param name="Code">Its stable, snake_case name.</param>
/// <param name="Status">The HTTP status it is answered with.</param>
/// <param name="Title">What it says of every request of the kind.</param>
internal sealed record ProblemKind(string Code, int Status, string Title)
{
    /// <summary>Where the kind is documented, relative to the server.</summary>
    public string Type => $"/docs/problems#{Code}";

    /// <summary>Makes the problem of one request.</summary>
    /// <param name="detail">A sentence for people: what is wrong, the value, the limit, the next step.</param>
    /// <param name="headers">What the answer says to programs beside its body.</param>
    public Problem With(string detail, params ReadOnlySpan<(string Name, string Value)> headers) => new(this, detail) { Headers = headers.ToArray() };

    /// <summary>Makes the refusal of one request, to be thrown; it ends at the <see cref="ProblemBoundary"/>.</summary>
    /// <inheritdoc cref="With"/>
    public ProblemException Refusal(string detail, params ReadOnlySpan<(string Name, string Value)> headers) => new(With(detail, headers));
}

/// <summary>Why one request is not served: <c>application/problem+json</c> (RFC 9457).</summary>
/// <param name="Kind">What kind of problem it is.</param>
/// <param name="Detail">A sentence for people.</param>
internal sealed record Problem(ProblemKind Kind, string Detail)
{
    /// <summary>The place in the body, if the fault is there.</summary>
    public RequestFault? Fault { get; init; }

    /// <summary>What the answer says to programs beside its body.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Answers a request with the problem.</summary>
    public Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = Kind.Status;
        // 404 and 405 may otherwise be kept by a cache that was never told so (RFC 9111, section 4.2.2).
        response.KeepPrivate();
        foreach (var (name, value) in Headers)
            response.Headers[name] = value;
        var instance = context.Request.PathBase.Add(context.Request.Path).ToUriComponent();
        return JsonAnswer.Of(json => Write(json, instance)).WriteAsync(response, "application/problem+json");
    }

    /// <summary>Writes the body.</summary>
    public void Write(Utf8JsonWriter json, string instance)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, Kind.Type);
        json.WriteString("title"u8, Kind.Title);
        json.WriteNumber("status"u8, Kind.Status);
        json.WriteString("detail"u8, Detail);
        json.WriteString("instance"u8, instance);
        json.WriteString("code"u8, Kind.Code);
        if (Fault?.ChildId is { } childId)
            json.WriteString("child"u8, childId);
        if (Fault is { } fault && (fault.ByteOffset ?? fault.RecordIndex ?? fault.Line) is not null)
            WriteErrors(json, fault);
        json.WriteEndObject();
    }

    private static void WriteErrors(Utf8JsonWriter json, RequestFault fault)
    {
        json.WriteStartArray("errors"u8);
        json.WriteStartObject();
        json.WriteString("detail"u8, fault.Detail);
        if (fault.ByteOffset is { } byteOffset)
            json.WriteNumber("byte_offset"u8, byteOffset);
        if (fault.RecordIndex is { } recordIndex)
            json.WriteNumber("record_index"u8, recordIndex);
        if (fault.Line is { } line)
            json.WriteNumber("line"u8, line);
        json.WriteEndObject();
        json.WriteEndArray();
    }
}

/// <summary>The one way in which the endpoints, and what stands before them, refuse a request. Only the <see cref="ProblemBoundary"/> catches it.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    public Problem Problem => problem;
}
