using System.Text;
using ApiJobs.Records;

namespace ApiJobs.Tests.Records;

public sealed class IdempotencyKeyTests
{
    private static readonly Guid Job = Guid.Parse("43dbbc35-d114-4da5-a1c0-6abbea6d7bf5");

    [Fact]
    public void A_record_has_the_same_idempotency_key_at_every_attempt_and_no_other_record_has_it()
    {
        Record(17).IdempotencyKey.ShouldBe("43dbbc35-d114-4da5-a1c0-6abbea6d7bf5-17");
        Record(17).IdempotencyKey.ShouldNotBe(Record(1).IdempotencyKey);
        Record(long.MaxValue).IdempotencyKey.Length.ShouldBeLessThanOrEqualTo(64);
    }

    private static JobRecord Record(long index) => new(Job, index, Encoding.UTF8.GetBytes("{}"));
}
