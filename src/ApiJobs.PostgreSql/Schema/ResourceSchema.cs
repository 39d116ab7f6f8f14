using System.Text;
using ApiJobs.PostgreSql.Resources;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Schema;

/// <summary>Makes the declared resources' tables, and adds what their declarations have gained. Nothing is ever dropped.</summary>
internal static class ResourceSchema
{
    internal static async Task ApplyAsync(NpgsqlConnection connection, ResourceCatalog resources, CancellationToken cancellationToken)
    {
        var names = resources.All.Select(resource => resource.Name).ToArray();
        // Looked up first, because even an ALTER TABLE … IF NOT EXISTS that does nothing would queue every other
        // node's statements behind its lock.
        var columns = await ReadNamesAsync(
            connection,
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ANY($1)",
            names, cancellationToken);
        var indexes = await ReadNamesAsync(
            connection, "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY($1)", names, cancellationToken);

        var script = new StringBuilder();
        foreach (var resource in resources.All)
            Append(script, resource, columns, indexes);
        if (script.Length == 0)
            return;
#pragma warning disable CA2100 // Names are checked to be lower-case identifiers when they are declared.
        // Building an index takes as long as the table is large.
        await using var command = new NpgsqlCommand(script.ToString(), connection) { CommandTimeout = 0 };
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Append(StringBuilder script, Resource resource, HashSet<string> columns, HashSet<string> indexes)
    {
        var table = new PostgreSqlTable(resource);
        if (!columns.Contains($"{resource.Name}.id"))
        {
            // Rows are updated in place again and again; the space left keeps their new versions near.
            script.AppendLine(
                $"""
                CREATE TABLE {table.Name} (
                    company_id uuid NOT NULL, id uuid NOT NULL,
                    {string.Concat(table.Columns.Select(column => $"{column.Name} {column.SqlType}, "))}
                    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
                    PRIMARY KEY (company_id, id)
                ) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
                """);
        }
        else
        {
            foreach (var (field, column) in resource.Fields.Zip(table.Columns).Where(pair => !columns.Contains($"{resource.Name}.{pair.First.Name}")))
                script.AppendLine($"ALTER TABLE {table.Name} ADD COLUMN {column.Name} {column.SqlType};");
        }

        AppendIndex($"{resource.Name}_by_update", "INDEX", "company_id, updated_at");
        foreach (var field in resource.Fields)
        {
            if (field.IsUnique)
                AppendIndex(IndexName(resource, field, "uq"), "UNIQUE INDEX", $"company_id, \"{field.Name}\"");
            else if (field.IsFilter)
                AppendIndex(IndexName(resource, field, "ix"), "INDEX", $"company_id, \"{field.Name}\", id");
        }

        void AppendIndex(string name, string kind, string columnList)
        {
            if (!indexes.Contains(name))
                script.AppendLine($"CREATE {kind} \"{name}\" ON {table.Name} ({columnList});");
        }
    }

    private static string IndexName(Resource resource, Field field, string kind)
    {
        var name = $"{resource.Name}_{field.Name}_{kind}";
        if (name.Length <= 63)
            return name;
        // Two names of 40 characters do not fit; a digest of them does, and is the same at every start.
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(name)))[..12];
        return $"{resource.Name}_{digest}_{kind}";
    }

    private static async Task<HashSet<string>> ReadNamesAsync(
        NpgsqlConnection connection, string sql, string[] tables, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // One of two constants above.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        command.Parameters.Add(Sql.Array(tables, NpgsqlDbType.Text));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            names.Add(reader.GetString(0));
        return names;
    }
}
