namespace ApiJobs.Server.Tests.Documents;

public sealed class FixWhatFailedTests
{
    [Fact]
    public async Task A_table_is_sent_and_what_failed_of_it_is_corrected_and_sent_back_with_nothing_but_curl()
    {
        var output = await GuideRunner.RunAsync("fix-what-failed.md", "fix:begin", "fix:end", TestContext.Current.CancellationToken);

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
