using ApiJobs.Jobs;

namespace ApiJobs.Tests.Jobs;

/// <summary>What others say of a job can be stored, whatever is in it: no store takes U+0000, and no text may fill a row.</summary>
public sealed class StorableTextTests
{
    [Fact]
    public void What_says_why_a_job_failed_can_always_be_stored()
    {
        var failure = new JobFailure("a\0code", "The exception said: \0 \uD800.\nAnd more.");

        failure.Code.ShouldBe("a?code");
        failure.Message.ShouldBe("The exception said: ? \uFFFD. And more.");
        var verbose = new JobFailure(new('c', 1_000), new('m', 1_000));
        (verbose.Code.Length, verbose.Message.Length).ShouldBe((JobFailure.MaxCodeLength, JobFailure.MaxMessageLength));
    }

    [Fact]
    public void A_client_s_id_can_always_be_stored()
    {
        new JobOrigin { ClientId = "client\0" }.ClientId.ShouldBe("client?");
        new JobOrigin { ClientId = new('c', 1_000) }.ClientId!.Length.ShouldBe(JobOrigin.MaxTextLength);
        new JobOrigin { ClientId = null }.ClientId.ShouldBeNull();
    }
}
