using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Jobs;
using ApiJobs.Records;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>The answers' schemas. The answers themselves are written by hand; tests hold the two together, with the answers that the tests get.</summary>
internal static class Schemas
{
    public static IOpenApiSchema Job(this OpenApiDocument document) => document.Schema("ApiJob", () => SchemaOf.Object(
        "A bulk request, and what has become of it.",
        ("id", SchemaOf.Uuid("Its id.")),
        ("type", SchemaOf.Text("Its operation, for example customer_case_bulk_update.")),
        ("company_id", SchemaOf.Uuid("The company whose records it is about.")),
        ("start_time", SchemaOf.Seconds("When its first chunk was applied; null until then.").OrNull()),
        ("end_time", SchemaOf.Seconds("When it ended; null until then. What has ended never changes.").OrNull()),
        ("status", SchemaOf.Enum(Enum.GetValues<ApiJobStatus>().Select(JobJson.NameOf), "failed: it ended before every record had an outcome. Records that fail do not make a job fail.")),
        ("message", SchemaOf.Text("An entry for each record that was not effected, up to 64 KiB; empty if there is none.")),
        ("total_records", SchemaOf.Count("How many records were accepted.")),
        ("effected_records", SchemaOf.Count("How many of them made or changed a row.")),
        ("created_at", SchemaOf.Time("When it was accepted.")),
        ("updated_at", SchemaOf.Time("When it last changed."))).With(
        ("counts", Counts(document)),
        ("links", Links(document)),
        ("failure", SchemaOf.OrNull(Failure(document))),
        ("origin", Origin(document)),
        ("progress", Progress(document))));

    public static IOpenApiSchema JobList(this OpenApiDocument document) => document.Schema("ApiJobList", () => SchemaOf.Object(
        "A page of API jobs.", ("data", SchemaOf.Array(document.Job(), maxItems: 100))));

    public static IOpenApiSchema JobLog(this OpenApiDocument document) => document.Schema("ApiJobLog", () => SchemaOf.Object(
        "What happened to an API job, oldest first.",
        ("data", SchemaOf.Array(
            document.Schema("ApiJobLogEntry", () => SchemaOf.Object(
                "Something that happened to an API job.",
                ("time", SchemaOf.Time()),
                ("event", SchemaOf.Text("What it was; there may be further ones some day.", "^[a-z][a-z0-9_]*$")),
                ("detail", SchemaOf.Text("A sentence for people.")))),
            JobLogEntry.MaxShown))));

    public static IOpenApiSchema RecordResult(this OpenApiDocument document) => document.Schema("RecordResult", () => SchemaOf.Object(
        "What happened to a record.",
        ("index", SchemaOf.Count("Its place in the request, from 0.")),
        ("key", SchemaOf.Text("What its row was found by, or the id that was made for it; null if it has neither.").OrNull()),
        ("outcome", SchemaOf.Enum(Enum.GetValues<RecordOutcome>().Select(RecordsQuery.NameOf))),
        ("errors", SchemaOf.Array(document.Schema("RecordError", () => SchemaOf.Object(
            "Why a record was refused.",
            ("code", SchemaOf.Text("What is wrong, for programs; operations written by hand may have codes of their own.", "^[a-z][a-z0-9_]*$")),
            ("message", SchemaOf.Text("What is wrong, for people.")),
            ("pointer", SchemaOf.Text("The JSON Pointer to what is wrong; empty for the record as a whole."))))))).With(
        ("line", SchemaOf.Count("The line of the request that it began on; of text/csv and application/x-ndjson only.", min: 1)),
        ("record", new OpenApiSchema { Type = JsonSchemaType.Object, Description = "The record as it was sent, if it was asked for." })));

    public static IOpenApiSchema RecordResults(this OpenApiDocument document) => document.Schema("RecordResults", () => SchemaOf.Object(
        "A page of what happened to records.", ("data", SchemaOf.Array(document.RecordResult(), maxItems: 1_000))));

    public static IOpenApiSchema ErrorGroups(this OpenApiDocument document) => document.Schema("ErrorGroups", () => SchemaOf.Object(
        "The kinds of errors that the records of a job have, the most frequent first.",
        ("data", SchemaOf.Array(
            document.Schema("ErrorGroup", () => SchemaOf.Object(
                "A kind of error that records of a job have.",
                ("code", SchemaOf.Text("The errors' code.")),
                ("pointer", SchemaOf.Text("Where in the records it is.")),
                ("count", SchemaOf.Count("How many records have it.", min: 1)),
                ("first_index", SchemaOf.Count("The first of them.")),
                ("message", SchemaOf.Text("The first one's message.")))),
            ErrorGroup.MaxPerJob))));

    public static IOpenApiSchema Limits(this OpenApiDocument document) => document.Schema("Limits", () => SchemaOf.Object(
        "What a caller may take, and has taken.",
        ("client_requests", SchemaOf.OrNull(RequestLimit(document))),
        ("company_requests", SchemaOf.OrNull(RequestLimit(document))),
        ("open_uploads", UseLimit(document)),
        ("queued_records", UseLimit(document)),
        ("queued_bytes", UseLimit(document)),
        ("bulk_request", document.Schema("BulkRequestLimits", () => SchemaOf.Object(
            "What one bulk request may bring.",
            ("max_records", SchemaOf.Count()),
            ("max_body_bytes", SchemaOf.Count("As sent.")),
            ("max_decompressed_bytes", SchemaOf.Count()),
            ("max_compression_ratio", SchemaOf.Count()),
            ("max_record_bytes", SchemaOf.Count()),
            ("max_depth", SchemaOf.Count("How deep a record's JSON may nest.")))))));

    public static IOpenApiSchema Problem(this OpenApiDocument document) => document.Schema("Problem", () => SchemaOf.Object(
        "Why a request was refused (RFC 9457).",
        ("type", new OpenApiSchema { Type = JsonSchemaType.String, Format = "uri-reference", Description = "The kind of problem." }),
        ("title", SchemaOf.Text("What it says of every request of the kind.")),
        ("status", new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Minimum = "400", Maximum = "599", Description = "The status of the answer." }),
        ("detail", SchemaOf.Text("What is wrong, and what to do.")),
        ("instance", new OpenApiSchema { Type = JsonSchemaType.String, Format = "uri-reference", Description = "The path of the request." }),
        ("code", SchemaOf.Text("The kind of problem, for programs. Codes never change their meaning.", "^[a-z][a-z0-9_]*$"))).With(
        ("child", SchemaOf.Uuid("The job that there is already, of already_retried and already_promoted.")),
        ("errors", SchemaOf.Array(SchemaOf.Object(
            "Where in the body the fault is.",
            ("detail", SchemaOf.Text())).With(
            ("byte_offset", SchemaOf.Count("From 0.")),
            ("record_index", SchemaOf.Count("From 0.")),
            ("line", SchemaOf.Count("From 1.", min: 1)))))));

    private static IOpenApiSchema Counts(OpenApiDocument document) => document.Schema("JobCounts", () => SchemaOf.Object(
        "How many records have each outcome. Shown if asked for.",
        ("created", SchemaOf.Count()),
        ("updated", SchemaOf.Count()),
        ("unchanged", SchemaOf.Count()),
        ("failed", SchemaOf.Count()),
        ("unprocessed", SchemaOf.Count())));

    private static IOpenApiSchema Links(OpenApiDocument document) => document.Schema("JobLinks", () => SchemaOf.Object(
        "The paths of what there is about a job. Shown if asked for.",
        ("self", Path()),
        ("records", Path()),
        ("errors", Path()),
        ("events", Path()),
        ("log", Path()),
        ("parent", Path("The job that it goes on from.").OrNull()),
        ("child", Path("The job that goes on from it.").OrNull())));

    private static IOpenApiSchema Failure(OpenApiDocument document) => document.Schema("JobFailure", () => SchemaOf.Object(
        "Why a job ended before every record had an outcome.",
        ("code", SchemaOf.Text("Why, for programs, as cancelled.")),
        ("message", SchemaOf.Text("Why, for people."))));

    private static IOpenApiSchema Origin(OpenApiDocument document) => document.Schema("JobOrigin", () => SchemaOf.Object(
        "How a job came to be. Shown if asked for.",
        ("client_id", SchemaOf.Text("Whose request made it.").OrNull()),
        ("parent_id", SchemaOf.Uuid("The job that it goes on from.").OrNull()),
        ("dry_run", SchemaOf.Flag("Whether it is a rehearsal.")),
        ("idempotency_key", SchemaOf.Text("The key of the request.").OrNull()),
        ("trace_id", SchemaOf.Text("The trace of the request, as its traceparent said.", "^[0-9a-f]{32}$").OrNull())));

    private static IOpenApiSchema Progress(OpenApiDocument document) => document.Schema("JobProgress", () => SchemaOf.Object(
        "How a job gets on. Shown if asked for; null is not known, or no longer of interest.",
        ("records_per_second", new OpenApiSchema { Type = JsonSchemaType.Number | JsonSchemaType.Null, Format = "double", Minimum = "0" }),
        ("estimated_end_time", SchemaOf.Time().OrNull()),
        ("position", SchemaOf.Count("How many jobs of its lane are before it.").OrNull())));

    private static IOpenApiSchema RequestLimit(OpenApiDocument document) => document.Schema("RequestLimit", () => SchemaOf.Object(
        "How many requests may be sent; null for any number.",
        ("per_second", SchemaOf.Count(min: 1)),
        ("burst", SchemaOf.Count("How many at once.", min: 1)),
        ("remaining", SchemaOf.Count("How many at once now.")),
        ("reset_seconds", SchemaOf.Count("When it is the whole burst again."))));

    private static IOpenApiSchema UseLimit(OpenApiDocument document) => document.Schema("UseLimit", () => SchemaOf.Object(
        "How much may be there at a time; a limit of null is none.",
        ("limit", SchemaOf.Count(min: 1).OrNull()),
        ("used", SchemaOf.Count("Null if it is not counted.").OrNull()),
        ("remaining", SchemaOf.Count().OrNull())));

    private static OpenApiSchema Path(string? description = null) =>
        new() { Type = JsonSchemaType.String, Format = "uri-reference", Description = description };
}
