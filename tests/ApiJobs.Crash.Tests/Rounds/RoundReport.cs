using System.Globalization;
using ApiJobs.Crash.Tests.History;

namespace ApiJobs.Crash.Tests.Rounds;

/// <summary>What a round showed.</summary>
/// <param name="Seed">What it can be repeated with.</param>
/// <param name="Kills">How many times a process was killed.</param>
/// <param name="JobsAcknowledged">How many requests were answered with 202.</param>
/// <param name="Records">How many records all jobs have.</param>
/// <param name="EndedAfter">How long after healing the last job ended.</param>
/// <param name="UnavailableButKept">Requests answered with 503 of which a job exists.</param>
/// <param name="Violations">The promises that were broken.</param>
internal sealed record RoundReport(
    int Seed, int Kills, int JobsAcknowledged, long Records, TimeSpan EndedAfter, int UnavailableButKept, IReadOnlyList<Violation> Violations)
{
    /// <summary>How many requests were sent more than once under their key.</summary>
    public int SentAgain { get; init; }

    /// <summary>How many jobs were cancelled, and how many retried.</summary>
    public (int Cancelled, int Retried) Changed { get; init; }

    private const int MaxShown = 20;

    public int Lost => Count(Rule.NothingIsLost, Rule.RowsAreRight);

    public int Doubled => Count(Rule.NothingIsDoubled);

    public int NotEnded => Count(Rule.EveryJobEnds);

    public int Other => Violations.Count - Lost - Doubled - NotEnded;

    /// <summary>Fails the test if a promise was broken, or if there was too little to break.</summary>
    public void ShouldBeSound(int minJobs = 10)
    {
        Console.WriteLine(this);
        Violations.ShouldBeEmpty(ToString());
        JobsAcknowledged.ShouldBeGreaterThanOrEqualTo(minJobs, ToString());
    }

    public bool Breaks(params Rule[] rules) => Count(rules) > 0;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {Seed}: {Kills} kills, {JobsAcknowledged} jobs acknowledged, {SentAgain} sent again, {Changed.Cancelled} cancelled, {Changed.Retried} retried, {Records} records, {Lost} lost, {Doubled} doubled, {NotEnded} not ended, {Other} other; all ended {EndedAfter.TotalSeconds:F1} s after healing; {UnavailableButKept} answered 503 and kept")
        + string.Concat(Violations.Take(MaxShown).Select(violation => $"\n  {violation.Rule}: {violation.What}"))
        + (Violations.Count > MaxShown ? $"\n  … and {Violations.Count - MaxShown} more" : "");

    private int Count(params Rule[] rules) => Violations.Count(violation => rules.Contains(violation.Rule));
}
