using System.Text;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.PostgreSql.Schema;

/// <summary>Puts the role, its privileges and the policies in place that <see cref="CompanyScope"/> relies on.</summary>
/// <remarks>
/// Scripts that upgrade data run as the owner, whom the policies bind too: they must switch row-level security off for their
/// own transaction's tables.
/// </remarks>
internal sealed class RowSecurity(ConnectionPool connections, CompanyScope scope, ResourceCatalog resources, ILogger logger)
{
    private const string Policy = "one_company";

    private string Role => CompanyRole.Quoted(connections.Facts.Role);

    private string RoleText => CompanyRole.Literal(connections.Facts.Role);

    /// <summary>Runs in the transaction that upgrades the schema.</summary>
    /// <exception cref="InvalidOperationException">Companies cannot be kept apart with this user; the message says what to do.</exception>
    internal async Task ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var usesRole = scope.IsOn && await PrepareRoleAsync(connection, cancellationToken);
        if (scope.IsOn && !usesRole)
            await FallBackAsync(connection, cancellationToken);

        await WarnOfPowersAsync(connection, cancellationToken);

        // Compared first, because each of these statements would queue all others behind its lock.
        var script = new StringBuilder();
        var tables = await ReadTablesAsync(connection, usesRole, cancellationToken);
        foreach (var (table, privileges, isConfined) in AllTables())
        {
            // Another may own it and have made all of this; what is missing then, the database says.
            var state = tables[table];
            if (isConfined && !state.HasPolicy && scope.IsOn)
            {
                // The subquery is evaluated once a statement; without it the setting would be parsed for every row. COALESCE hides
                // the comparison from the planner's estimates: twice filtered by company, a table would seem to hold next
                // to nothing of it, and be read whole instead of by its key.
                script.AppendLine($"CREATE POLICY {Policy} ON \"{table}\" USING (COALESCE(company_id = (SELECT NULLIF(current_setting('{CompanyScope.Setting}', true), '')::uuid), false));");
            }

            if (isConfined && !state.IsForced && scope.IsOn)
                script.AppendLine($"ALTER TABLE \"{table}\" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;");
            if (isConfined && state.IsForced && !scope.IsOn)
                script.AppendLine($"ALTER TABLE \"{table}\" NO FORCE ROW LEVEL SECURITY;");
            if (usesRole && !state.IsGranted)
                script.AppendLine($"GRANT {privileges} ON \"{table}\" TO {Role};");
        }

        if (usesRole && !await AskAsync(connection, $"SELECT has_schema_privilege({RoleText}, current_schema(), 'USAGE')", cancellationToken))
            script.AppendLine($"DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), {RoleText}); END $$;");
        if (script.Length > 0)
            await ExecuteAsync(connection, script.ToString(), cancellationToken);
    }

    private IEnumerable<OwnTable> AllTables() =>
        OwnTables.All.Concat(resources.All.Select(resource => new OwnTable(resource.Name, "SELECT, INSERT, UPDATE", IsConfined: true)));

    /// <summary>Makes the role where there is none, and joins it where that is needed.</summary>
    /// <returns>Whether this user can work as the role.</returns>
    private async Task<bool> PrepareRoleAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await AskAsync(connection, $"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {RoleText})", cancellationToken))
            await TryAsync(connection, $"CREATE ROLE {Role} NOLOGIN NOSUPERUSER NOBYPASSRLS", cancellationToken);

        if (await AskAsync(connection, $"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {RoleText} AND (rolsuper OR rolbypassrls))", cancellationToken))
        {
            throw new InvalidOperationException(
                $"Row-level security would not bind the role {Role}. Run: ALTER ROLE {Role} NOSUPERUSER NOBYPASSRLS");
        }

        // Trying says more than asking: what membership allows has changed between versions of PostgreSQL.
        var become = $"SET LOCAL ROLE {Role}; RESET ROLE";
        return await TryAsync(connection, become, cancellationToken)
            || (await TryAsync(connection, $"GRANT {Role} TO CURRENT_USER", cancellationToken)
                && await TryAsync(connection, become, cancellationToken));
    }

    // Neither is needed to run, and either lets whoever takes the connection string over read every database of the server.
    private async Task WarnOfPowersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await AskAsync(connection, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user", cancellationToken))
        {
            logger.LogWarning(
                "The database user is a superuser or may make roles (CREATEROLE), which the store does not need once the role {Role} exists. "
                + "Have an administrator make the role, and use a user without these rights.", connections.Facts.Role);
        }
    }

    private async Task FallBackAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var advice = $"Have an administrator run: CREATE ROLE {Role} NOLOGIN; GRANT {Role} TO <the store's user>";
        if (await AskAsync(connection, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user", cancellationToken))
        {
            throw new InvalidOperationException(
                $"Row-level security does not bind the database user, and the user may not work as the role {Role}. "
                + $"{advice}; or set {nameof(PostgreSqlStoreOptions.CompanyIsolation)} to false to do without.");
        }

        scope.RelyOnForcedPolicies();
        logger.LogWarning(
            "The database user may neither make nor use the role {Role}. Companies are kept apart by policies on the user's own tables, "
            + "which the user could remove. {Advice}.", connections.Facts.Role, advice);
    }

    private async Task<Dictionary<string, TableState>> ReadTablesAsync(NpgsqlConnection connection, bool usesRole, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Sql.Statement(
            $"""
            SELECT c.relname, c.relforcerowsecurity,
                EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = '{Policy}'),
                $1 AND (SELECT bool_and(has_table_privilege({(usesRole ? RoleText : "'public'")}, c.oid, privilege)) FROM unnest(string_to_array(w.privileges, ', ')) privilege)
            FROM unnest($2::text[], $3::text[]) w(name, privileges)
            JOIN pg_class c ON c.oid = quote_ident(w.name)::regclass
            """,
            new NpgsqlParameter<bool> { TypedValue = usesRole },
            Sql.Array(AllTables().Select(table => table.Name).ToArray(), NpgsqlTypes.NpgsqlDbType.Text),
            Sql.Array(AllTables().Select(table => table.Privileges).ToArray(), NpgsqlTypes.NpgsqlDbType.Text)));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var tables = new Dictionary<string, TableState>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            tables.Add(reader.GetString(0), new(reader.GetBoolean(1), reader.GetBoolean(2), reader.GetBoolean(3)));
        return tables;
    }

    /// <summary>Runs a statement that the user may not be allowed, and leaves the transaction usable either way.</summary>
    private static async Task<bool> TryAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, "SAVEPOINT attempt", cancellationToken);
        try
        {
            await ExecuteAsync(connection, sql, cancellationToken);
            await ExecuteAsync(connection, "RELEASE attempt", cancellationToken);
            return true;
        }
        catch (PostgresException fault) when (fault.SqlState is PostgresErrorCodes.InsufficientPrivilege
            or PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.UndefinedObject)
        {
            await ExecuteAsync(connection, "ROLLBACK TO attempt", cancellationToken);
            return false;
        }
    }

#pragma warning disable CA2100 // Constants of this class, and names that were checked when they were declared.
    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<bool> AskAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
#pragma warning restore CA2100

    private sealed record TableState(bool IsForced, bool HasPolicy, bool IsGranted);
}
