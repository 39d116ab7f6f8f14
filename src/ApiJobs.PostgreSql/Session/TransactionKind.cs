using System.Globalization;

namespace ApiJobs.PostgreSql.Session;

/// <summary>What a transaction of the store is for, and so what it sets for itself before its first statement.</summary>
/// <remarks>Every setting ends with its transaction: a setting of the session would not survive a pooler.</remarks>
internal sealed class TransactionKind
{
    // Looking rows up by their keys, with plans that are kept. Left alone, a prepared statement would keep the plan that was
    // made while its tables were empty, and go on scanning them whole while they grow. A look-up is right for every size; no
    // two indexes of one of the store's tables begin with the same column, so that there is only one to choose.
    private const string ByKey =
        "set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), "
        + "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
        // Compiling a look-up takes a thousand times as long as running it, and large tables make plans look worth it.
        + "set_config('jit', 'off', true)";

    // For resources, whose indexes all begin with the company: which of them is the right one depends on the values.
    private const string Afresh =
        "set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true), "
        + "set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)";

    // What was acknowledged is never lost, whatever the database's default; a stronger setting than "on" is left alone. And
    // the warning that a standby was not waited for must arrive.
    private const string WaitForDisk =
        "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true), "
        + "set_config('client_min_messages', 'warning', true)";

    private const string DoNotWaitForDisk = "set_config('synchronous_commit', 'off', true)";

    // A node that is stopped while it holds a lane's tail keeps others waiting for so long, once; then for less.
    private const string LockTimeout = "set_config('lock_timeout', '2s', true)";
    private const string ShortLockTimeout = "set_config('lock_timeout', '100ms', true)";
    private const string EndLockTimeout = "set_config('lock_timeout', '10s', true)";

    private readonly string _settings;
    private readonly TimeSpan? _atMost;

    private TransactionKind(TimeSpan? atMost, params string[] settings)
    {
        _atMost = atMost;
        _settings = string.Join(", ", settings);
    }

    /// <summary>Reads the store's own tables.</summary>
    internal static TransactionKind Looking { get; } = new(atMost: null, ByKey);

    /// <summary>Reads where the right plan depends on the values.</summary>
    internal static TransactionKind Searching { get; } = new(atMost: null, Afresh);

    /// <summary>Claims and leases. One that a crash of the database forgets costs nothing but a second claim.</summary>
    internal static TransactionKind Leasing { get; } = new(atMost: null, ByKey, DoNotWaitForDisk);

    /// <summary>Removes what nobody needs any longer.</summary>
    internal static TransactionKind Keeping { get; } = new(atMost: null, ByKey);

    /// <summary>Stores what arrives.</summary>
    internal static TransactionKind Accepting { get; } = new(TimeSpan.FromSeconds(30), ByKey, WaitForDisk, LockTimeout);

    /// <summary>Stores what arrives for a company whose locks somebody held for too long just now.</summary>
    internal static TransactionKind AcceptingImpatiently { get; } = new(TimeSpan.FromSeconds(30), ByKey, WaitForDisk, ShortLockTimeout);

    /// <summary>Stores what arrives, before another transaction on the same connection that waits for the disk for both.</summary>
    internal static TransactionKind AcceptingAhead { get; } = new(TimeSpan.FromSeconds(30), ByKey, DoNotWaitForDisk, LockTimeout);

    /// <summary>Does nothing but wait for the disk, for the transactions before it on the connection.</summary>
    internal static TransactionKind Flushing { get; } = new(atMost: null, WaitForDisk);

    /// <summary>Ends a job.</summary>
    internal static TransactionKind Ending { get; } = new(TimeSpan.FromSeconds(30), ByKey, WaitForDisk, EndLockTimeout);

    /// <summary>Applies chunks: looks up by key at first and at last, and lets what an operation does in between be planned afresh.</summary>
    /// <param name="idleTimeout">How long the database waits for the next statement.</param>
    internal static TransactionKind Applying(TimeSpan idleTimeout) => new(
        TimeSpan.FromTicks(Math.Max(TimeSpan.FromMinutes(5).Ticks, 10 * idleTimeout.Ticks)), ByKey, WaitForDisk,
        $"set_config('idle_in_transaction_session_timeout', '{Milliseconds(idleTimeout)}', true)");

    /// <summary>What an operation does in the transaction is planned for what it really handles.</summary>
    internal const string PlanAfreshSql = $"SELECT {Afresh}";

    /// <summary>What the store does after the operation is looked up by key again.</summary>
    internal const string PlanByKeySql = $"SELECT {ByKey}";

    /// <summary>The statement that sets all this, and gives the transaction's time.</summary>
    /// <param name="version">The server's major version.</param>
    /// <param name="confinement">What more to set; null for nothing.</param>
    internal string SettingsSql(int version, string? confinement)
    {
        // Before PostgreSQL 17, nothing ends a transaction whose sender has stopped in the middle of its statements.
        var atMost = _atMost is { } time && version >= 17 ? $", set_config('transaction_timeout', '{Milliseconds(time)}', true)" : "";
        return $"SELECT now(), {_settings}{atMost}{(confinement is null ? "" : $", {confinement}")}";
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
