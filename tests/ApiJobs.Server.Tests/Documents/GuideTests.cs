namespace ApiJobs.Server.Tests.Documents;

/// <summary>The guides work as written. What a guide shows is compared by its runner; here is what it only says.</summary>
public sealed class GuideTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_first_million_is_sent_and_one_wrong_record_corrected() =>
        GuideRunner.RunAsync("send-your-first-million-records.md", Cancel, ("RECORDS", "10000"));

    [Fact]
    public Task What_is_sent_again_under_its_key_is_one_job() => GuideRunner.RunAsync("send-again-safely.md", Cancel);

    [Fact]
    public Task A_rehearsal_changes_nothing_and_is_promoted() => GuideRunner.RunAsync("rehearse.md", Cancel);

    [Fact]
    public async Task The_end_of_a_job_is_learnt_without_polling()
    {
        var output = await GuideRunner.RunAsync("wait-without-polling.md", Cancel);

        output.ShouldContain("retry: 2000\n\nevent: api_job.completed\nid: 1-1\ndata: {");
    }

    [Fact]
    public Task Results_have_the_formats_that_their_page_shows() =>
        GuideRunner.RunAsync("docs/reference/results.md", "guide:begin", "guide:end", "guide", Cancel);

    [Fact]
    public async Task A_table_is_sent_and_what_failed_of_it_is_corrected_and_sent_back_with_nothing_but_curl()
    {
        var output = await GuideRunner.RunAsync("fix-what-failed.md", Cancel);

        output.ShouldContain("\"code\":\"wrong_shape\"");
        output.ShouldContain("'last_nam' (the nearest is 'last_name')");
        output.ShouldContain("\"counts\":{\"created\":1,\"updated\":0,\"unchanged\":0,\"failed\":3,\"unprocessed\":0}");
        output.ShouldContain("{\"data\":[{\"code\":\"invalid_format\",\"pointer\":\"/date_of_birth\",\"count\":3,\"first_index\":1,");
        output.ShouldContain("first_names,last_name,date_of_birth,address_1,tel_1,_index,_outcome,_code,_field,_message\r\n");
        output.ShouldContain("Bea,Smith,31/12/1975,\"The \"\"Old\"\" Mill\",,1,failed,invalid_format,date_of_birth,");
        output.ShouldContain("Dee,'-Brown,1985-1-5,,'=0113,3,failed,invalid_format,date_of_birth,");
        output.ShouldContain("\"counts\":{\"created\":3,\"updated\":0,\"unchanged\":0,\"failed\":0,\"unprocessed\":0}");
        output.ShouldContain("\"last_name\":\"-Brown\"");
        output.ShouldContain("\"tel_1\":\"=0113\"");
        output.ShouldContain("\"tel_1\":\"+44 113 496 0000\"");
        output.ShouldContain("\"address_1\":\"The \\\"Old\\\" Mill\"");
        output.ShouldContain("\"date_of_birth\":\"1990-02-28\"");
    }
}
