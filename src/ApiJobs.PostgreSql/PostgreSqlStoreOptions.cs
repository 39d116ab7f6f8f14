using System.ComponentModel.DataAnnotations;

namespace ApiJobs.PostgreSql;

/// <summary>How the PostgreSQL store reaches its database and behaves there.</summary>
public sealed class PostgreSqlStoreOptions
{
    /// <summary>Where the database is, in Npgsql's terms. Tables are made in the first schema of its search path.</summary>
    /// <remarks>
    /// Its <c>Command Timeout</c> (30 s) is also how long the answer to a commit is waited for; a commit is never cancelled.
    /// Sessions are not reset between uses, because the store leaves nothing in them; <c>No Reset On Close=false</c> changes that.
    /// </remarks>
    [Required]
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Whether the store prepares its statements; null, unless configured, does so on a direct connection and not behind a pooler, which
    /// the store notices. True is for a pooler that keeps track of them: PgBouncer 1.21 or newer with <c>max_prepared_statements</c>.
    /// </summary>
    public bool? PrepareStatements { get; set; }

    /// <summary>
    /// Where the one connection that listens for wake-ups goes; null for <see cref="ConnectionString"/>. Behind a pooler in
    /// transaction mode, which cannot LISTEN, name the database itself.
    /// </summary>
    public string? ListenConnectionString { get; set; }

    /// <summary>Whether this node listens for the wake-ups of other nodes. Without it, their jobs are found by polling.</summary>
    public bool Listen { get; set; } = true;

    /// <summary>The shortest time between two wake-ups this node sends. PostgreSQL serializes commits that notify, so they are few.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan NotifyInterval { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Whether the database itself keeps companies apart: row-level security, under a role without privileges of its own.
    /// What an operation's own SQL touches must be granted to that role. All nodes of a database must agree.
    /// </summary>
    /// <remarks>
    /// The role is one a database: <c>apijobs_</c> and the database's name. It is made when the schema is, if the user may (CREATEROLE). Better,
    /// an administrator makes it: <c>CREATE ROLE apijobs_… NOLOGIN; GRANT apijobs_… TO</c> the user. Until then the policies bind the user as the owner of
    /// the tables, and a warning says so; a superuser, whom they cannot bind, is refused.
    /// </remarks>
    public bool CompanyIsolation { get; set; } = true;

    /// <summary>
    /// How long the transaction that applies chunks may wait for its worker before the database rolls it back. It bounds
    /// how long a stalled or unreachable worker keeps its rows locked; an operation that waits for something outside
    /// the database must be faster.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan IdleTransactionTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
