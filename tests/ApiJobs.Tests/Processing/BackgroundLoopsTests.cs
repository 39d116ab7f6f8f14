using ApiJobs.Processing;

namespace ApiJobs.Tests.Processing;

public sealed class BackgroundLoopsTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_loop_that_ends_by_itself_ends_the_others_and_is_told_by_its_name(bool byFault)
    {
        var ill = new TaskCompletionSource();
        var othersEnded = new TaskCompletionSource();
        var running = BackgroundLoops.RunAsync(Cancel, ("worker 1", UntilStoppedAsync), ("worker 2", _ => ill.Task));
        running.IsCompleted.ShouldBeFalse();

        if (byFault)
            ill.SetException(new ArithmeticException("a bug"));
        else
            ill.SetResult();
        var exception = await Should.ThrowAsync<InvalidOperationException>(() => running.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        exception.Message.ShouldContain("worker 2 ended");
        exception.InnerException?.Message.ShouldBe("a bug");
        (exception.InnerException is not null).ShouldBe(byFault);
        othersEnded.Task.IsCompleted.ShouldBeTrue();

        async Task UntilStoppedAsync(CancellationToken stopping)
        {
            await WaitAsync(stopping);
            othersEnded.SetResult();
        }
    }

    [Fact]
    public async Task Loops_that_are_told_to_end_end_well()
    {
        using var stop = new CancellationTokenSource();
        var running = BackgroundLoops.RunAsync(stop.Token, ("worker 1", WaitAsync), ("worker 2", WaitAsync));
        await stop.CancelAsync();
        await running;
    }

    private static async Task WaitAsync(CancellationToken stopping)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = stopping.Register(stopped.SetResult);
        await stopped.Task;
    }
}
