namespace ApiJobs.Server.Tests.Documents;

public sealed class TutorialTests
{
    [Fact]
    public async Task The_tutorial_of_the_README_works_as_written()
    {
        var output = await GuideRunner.RunAsync("README.md", "tutorial:curl", "tutorial:end", "tutorial", TestContext.Current.CancellationToken);

        output.ShouldContain("HTTP/1.1 202 Accepted");
        output.ShouldContain("Location: /engine/api/api-jobs/");
        output.ShouldContain("\"status\":\"completed\"");
        output.ShouldContain("\"total_records\":4,\"effected_records\":1");
        output.ShouldContain("Case ID: 4528a261-917d-4cbc-939e-7ea48cffca69 failed with the following errors:\\n\\nCase does not exist or record already updated.");
        output.ShouldContain("\"outcome\":\"unchanged\"");
        output.ShouldContain("\"code\":\"not_found\"");
        output.ShouldContain("\"pointer\":\"/colour\"");
        output.ShouldContain("\"meta\":{\"branch\":\"Leeds\",\"witness\":\"yes\"}");
    }
}
