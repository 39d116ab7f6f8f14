using ApiJobs.AspNetCore.Requests;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>The header <c>Prefer</c> as RFC 7240 writes it.</summary>
public sealed class WaitPreferenceTests
{
    [Theory]
    [InlineData("wait=10", 10)]
    [InlineData("WAIT=10", 10)]
    [InlineData("  wait  =  10  ", 10)]
    [InlineData("wait=\"10\"", 10)]
    [InlineData("wait=007", 7)]
    [InlineData("wait=0", 0)]
    [InlineData("wait=000", 0)]
    [InlineData("wait=60", 60)]
    [InlineData("wait=61", 60)]
    [InlineData("wait=00000000000000000000000061", 60)]
    [InlineData("wait=99999999999999999999999999", 60)]
    [InlineData("respond-async, wait=5", 5)]
    [InlineData("respond-async;wait=9, wait=5", 5)]
    [InlineData("wait=5; reason=\"slow, very; slow\"", 5)]
    [InlineData("note=\"a, wait=9\", wait=5", 5)]
    [InlineData("note=\"\\\", wait=9\", wait=5", 5)]
    [InlineData(",, ,wait=5,,", 5)]
    [InlineData("wait=5, wait=9", 5)]
    public void A_preference_is_understood_as_it_may_be_written(string prefer, int seconds) => WaitPreference.Seconds(prefer).ShouldBe(seconds);

    [Theory]
    [InlineData("")]
    [InlineData("wait")]
    [InlineData("wait=")]
    [InlineData("wait=\"\"")]
    [InlineData("wait=-1")]
    [InlineData("wait=+1")]
    [InlineData("wait=1.5")]
    [InlineData("wait=1e1")]
    [InlineData("wait=ten")]
    [InlineData("wait=1 0")]
    [InlineData("wait=١٠")]
    [InlineData("wait=\"10")]
    [InlineData("wait=nonsense, wait=10")]
    [InlineData("waiting=10")]
    [InlineData("respond-async")]
    [InlineData("respond-async;wait=10")]
    [InlineData("note=\"wait=10\"")]
    [InlineData("note=\"open, wait=10")]
    [InlineData("\\")]
    [InlineData("\"\\")]
    [InlineData("=;,=")]
    public void What_is_not_understood_is_no_preference(string prefer) => WaitPreference.Seconds(prefer).ShouldBeNull();

    [Fact]
    public void The_first_of_several_headers_counts()
    {
        WaitPreference.Seconds(new(["respond-async", "wait=5", "wait=9"])).ShouldBe(5);
        WaitPreference.Seconds(default).ShouldBeNull();
    }
}
