namespace ApiJobs.PostgreSql.Session;

/// <summary>Confines transactions to one company, so that a forgotten filter in a statement reads and writes nothing of another's.</summary>
/// <remarks>
/// The company and the role are settings of the transaction alone, sent with its first statement without a round trip of
/// their own: that leaves no state in the session, and so works behind a pooler in transaction mode, where a second
/// connection string for a second user would also halve the pools. Row-level security does not bind superusers and users
/// with BYPASSRLS, hence the role; it binds the tables' owner because it is forced.
/// </remarks>
internal sealed class CompanyScope(bool isOn)
{
    /// <summary>The setting that the policies compare every row's company with.</summary>
    internal const string Setting = "apijobs.company_id";

    // Until the schema was checked, the role is taken to exist: another node has made it, if the database is initialized.
    private volatile bool _usesRole = true;

    internal bool IsOn => isOn;

    /// <summary>Whether company transactions run as the role: not the tables' owner, no login, no BYPASSRLS.</summary>
    internal bool UsesRole => isOn && _usesRole;

    /// <summary>Goes on without the role, under the row-level security that binds the tables' owner.</summary>
    internal void RelyOnForcedPolicies() => _usesRole = false;
}
