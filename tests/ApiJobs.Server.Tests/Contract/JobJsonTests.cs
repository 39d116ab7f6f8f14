using System.Text;
using System.Text.Json;
using ApiJobs.AspNetCore;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.Server.Tests.Contract;

public sealed class JobJsonTests
{
    private static readonly DateTimeOffset Began = new(2024, 2, 21, 10, 21, 31, TimeSpan.Zero);

    private static readonly ApiJob Pending = new()
    {
        Id = Guid.Parse("43dbbc35-d114-4da5-a1c0-6abbea6d7bf5"),
        CompanyId = Guid.Parse("aff00be6-f734-4094-a8ae-62874485dac0"),
        Type = "customer_case_bulk_update",
        Position = 1,
        TotalRecords = 773,
        ChunkCount = 1,
        CreatedAt = Began,
        UpdatedAt = Began,
    };

    private const string Path = "/engine/api/api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5";

    [Fact]
    public void The_seeds_job_is_written_to_the_byte()
    {
        // The seed's example has 773 records, 770 of them effected, and entries for two: the third was left out of the page.
        var message =
            "---------------------------\nCase ID: 4528a261-917d-4cbc-939e-7ea48cffca69 failed with the following errors:\n\n"
            + "Case does not exist or record already updated.\n---------------------------"
            + "---------------------------\nCase ID: 53c3a84d-8eef-4015-8bc6-499f8eccd161 failed with the following errors:\n\n"
            + "Case does not exist or record already updated.\n---------------------------";
        var job = Pending with
        {
            StartTime = Began,
            EndTime = Began.AddSeconds(4),
            UpdatedAt = Began.AddSeconds(4),
            Counts = new(Created: 0, Updated: 770, Unchanged: 1, Failed: 2),
            MessageEntryCount = 3,
        };

        Write(job, message).ShouldBe(OneLine(
            """
            {"id":"43dbbc35-d114-4da5-a1c0-6abbea6d7bf5","type":"customer_case_bulk_update",
            "company_id":"aff00be6-f734-4094-a8ae-62874485dac0",
            "start_time":"2024-02-21 10:21:31","end_time":"2024-02-21 10:21:35","status":"completed",
            "message":"---------------------------\nCase ID: 4528a261-917d-4cbc-939e-7ea48cffca69 failed with the following errors:\n\n
            Case does not exist or record already updated.\n------------------------------------------------------\n
            Case ID: 53c3a84d-8eef-4015-8bc6-499f8eccd161 failed with the following errors:\n\n
            Case does not exist or record already updated.\n---------------------------",
            "total_records":773,"effected_records":770,
            "created_at":"2024-02-21T10:21:31.000000Z","updated_at":"2024-02-21T10:21:35.000000Z"}
            """));
    }

    [Fact]
    public void A_pending_job_has_neither_start_nor_end_time_and_an_empty_message() =>
        Write(Pending).ShouldBe(OneLine(
            """
            {"id":"43dbbc35-d114-4da5-a1c0-6abbea6d7bf5","type":"customer_case_bulk_update",
            "company_id":"aff00be6-f734-4094-a8ae-62874485dac0",
            "start_time":null,"end_time":null,"status":"pending","message":"","total_records":773,"effected_records":0,
            "created_at":"2024-02-21T10:21:31.000000Z","updated_at":"2024-02-21T10:21:31.000000Z"}
            """));

    [Fact]
    public void Times_are_written_in_UTC_whatever_their_offset_and_cut_not_rounded()
    {
        var time = new DateTimeOffset(2024, 2, 21, 12, 21, 31, 999, TimeSpan.FromHours(2)).AddTicks(9_999);
        var json = Parse(Write(Pending with { CreatedAt = time, StartTime = time }));
        json.Text("created_at").ShouldBe("2024-02-21T10:21:31.999999Z");
        json.Text("start_time").ShouldBe("2024-02-21 10:21:31");
    }

    [Fact]
    public void A_message_keeps_quotes_and_letters_readable() =>
        Write(Pending with { StartTime = Began }, "'é' <ü> & + 漢").ShouldContain("\"message\":\"'é' <ü> & + 漢\"");

    [Fact]
    public void Expanded_counts_add_up_to_the_total_and_links_follow_them()
    {
        var job = Pending with { StartTime = Began, Counts = new(1, 2, 3, 4), MessageEntryCount = 7 };
        var json = Parse(Write(job, "…", JobExpansion.Counts | JobExpansion.Links));
        json.MemberNames()[11..].ShouldBe(["counts", "links"]);
        json.GetProperty("counts").GetRawText().ShouldBe("""{"created":1,"updated":2,"unchanged":3,"failed":4,"unprocessed":763}""");
        json.GetProperty("links").GetRawText().ShouldBe(
            $$"""{"self":"{{Path}}","records":"{{Path}}/records","errors":"{{Path}}/errors","events":"{{Path}}/events","log":"{{Path}}/log","parent":null,"child":null}""");
    }

    [Fact]
    public void Links_name_the_job_before_and_the_job_after()
    {
        var (parent, child) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var links = Parse(Write(Pending with { Origin = new() { ParentId = parent } }, expansion: JobExpansion.Links, details: new() { ChildId = child }))
            .GetProperty("links");
        (links.Text("parent"), links.Text("child")).ShouldBe(($"/engine/api/api-jobs/{parent}", $"/engine/api/api-jobs/{child}"));
    }

    [Fact]
    public void A_failure_says_why_and_is_null_without_one()
    {
        Parse(Write(Pending, expansion: JobExpansion.Failure)).GetProperty("failure").ValueKind.ShouldBe(JsonValueKind.Null);
        Parse(Write(Pending with { EndTime = Began, Failure = new("cancelled", "By a client.") }, expansion: JobExpansion.Failure))
            .GetProperty("failure").GetRawText().ShouldBe("""{"code":"cancelled","message":"By a client."}""");
    }

    [Fact]
    public void An_origin_has_all_its_members_whatever_is_known_of_it()
    {
        Parse(Write(Pending, expansion: JobExpansion.Origin)).GetProperty("origin").GetRawText().ShouldBe(
            """{"client_id":null,"parent_id":null,"dry_run":false,"idempotency_key":null,"trace_id":null}""");
        var parent = Guid.CreateVersion7();
        var origin = new JobOrigin
        {
            ClientId = "importer",
            ParentId = parent,
            IdempotencyKey = "k-1",
            TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        };
        Parse(Write(Pending with { Origin = origin, Options = new() { DryRun = true } }, expansion: JobExpansion.Origin)).GetProperty("origin").GetRawText().ShouldBe(
            $$"""{"client_id":"importer","parent_id":"{{parent}}","dry_run":true,"idempotency_key":"k-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}""");
        Parse(Write(Pending with { Origin = new() { TraceParent = "nonsense" } }, expansion: JobExpansion.Origin))
            .GetProperty("origin").GetProperty("trace_id").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public void Progress_has_all_its_members_also_of_a_job_that_has_ended()
    {
        Parse(Write(Pending, expansion: JobExpansion.Progress)).GetProperty("progress").GetRawText().ShouldBe(
            """{"records_per_second":null,"estimated_end_time":null,"position":null}""");
        Parse(Write(Pending, expansion: JobExpansion.Progress, details: new() { Progress = new(1234.56, Began, 0) })).GetProperty("progress").GetRawText().ShouldBe(
            """{"records_per_second":1234.6,"estimated_end_time":"2024-02-21T10:21:31.000000Z","position":0}""");
    }

    [Fact]
    public void The_last_line_of_a_shortened_message_says_where_the_full_list_is() =>
        Parse(Write(Pending with { StartTime = Began, Counts = new(0, 0, 0, 3), MessageEntryCount = 1 }, "entry")).Text("message")!
            .ShouldEndWith("2 more records were not effected; the full list is at /engine/api/api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5/records");

    private static string Write(ApiJob job, string message = "", JobExpansion expansion = JobExpansion.None, JobDetails? details = null) =>
        Encoding.UTF8.GetString(JobJson.Answer(job, message, new ApiUrls(ApiServer.Prefix), new DefaultHttpContext().Request, expansion, details).Utf8);

    private static string OneLine(string text) => text.ReplaceLineEndings("");

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
