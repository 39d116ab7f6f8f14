using System.Collections.Concurrent;
using System.Globalization;
using ApiJobs.Resources;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Resources;

/// <summary>The SQL of one resource's table, and its rows' way in and out.</summary>
/// <remarks>
/// The names in the SQL are lower-case identifiers (<see cref="Resource"/> lets no others through), quoted because some
/// are SQL's own words. Values are always bound.
/// </remarks>
internal sealed class ResourceTable(Resource resource)
{
    // After id, created_at and updated_at.
    private const int FirstFieldColumn = 3;

    private readonly Resource _resource = resource;
    private readonly string _table = Quote(resource.Name);
    private readonly ConcurrentDictionary<string, string> _findByUnique = new(StringComparer.Ordinal);

    // What prepared statements are kept under, together with a set of fields.
    internal string SelectKey { get; } = "select " + resource.Name;

    internal string InsertKey { get; } = "insert " + resource.Name;

    internal string UpdateKey { get; } = "update " + resource.Name;

    internal string UpdateDifferingKey { get; } = "update differing " + resource.Name;

    internal string ClearKey { get; } = "clear " + resource.Name;

    internal string ClearDifferingKey { get; } = "clear differing " + resource.Name;

    /// <summary>The fields of which no two rows of a company may hold the same value.</summary>
    internal ulong UniqueFields { get; } = resource.Fields.Select((field, index) => field.IsUnique ? 1UL << index : 0).Aggregate(0UL, (all, one) => all | one);

    internal void Make(SqliteSession session)
    {
        var columns = Columns(session);
        if (columns.Count == 0)
            Create(session);
        foreach (var field in _resource.Fields)
        {
            var type = ColumnType(field.Type);
            if (columns.Count > 0 && !columns.ContainsKey(field.Name))
                session.Execute($"ALTER TABLE {_table} ADD COLUMN {Quote(field.Name)} {type}");
            else if (columns.Count > 0 && columns[field.Name] != type)
                throw new InvalidOperationException(
                    $"Field '{_resource.Name}.{field.Name}' needs a column of type {type}, but the database has {columns[field.Name]}. Declare it under a new name.");
            if (field.IsUnique)
                session.Execute($"CREATE UNIQUE INDEX IF NOT EXISTS {Quote($"{_resource.Name}_{field.Name}_unique")} ON {_table} (company_id, {Quote(field.Name)})");
            else if (field.IsFilter)
                session.Execute($"CREATE INDEX IF NOT EXISTS {Quote($"{_resource.Name}_{field.Name}_filter")} ON {_table} (company_id, {Quote(field.Name)})");
        }

        session.Execute($"CREATE INDEX IF NOT EXISTS {Quote($"{_resource.Name}_updated_at")} ON {_table} (company_id, updated_at)");
    }

    internal string SelectSql(ulong fields) =>
        $"SELECT {ColumnList(fields)} FROM {_table} WHERE company_id = ?1 AND id = ?2";

    internal string FindByUniqueSql(Field field) => _findByUnique.GetOrAdd(field.Name,
        name => $"SELECT id FROM {_table} WHERE company_id = ?1 AND {Quote(name)} = ?2");

    internal string InsertSql(ulong fields)
    {
        var names = Names(fields).Select(Quote).ToArray();
        return $"""
            INSERT INTO {_table} (company_id, id, updated_at, created_at{string.Concat(names.Select(name => ", " + name))})
            VALUES (?1, ?2, ?3, ?4{string.Concat(names.Select((_, index) => $", ?{5 + index}"))})
            """;
    }

    internal string UpdateSql(ulong fields)
    {
        var assignments = Names(fields).Select((name, index) => $", {Quote(name)} = ?{4 + index}");
        // Never back, whatever the clock was set to.
        return $"UPDATE {_table} SET updated_at = max(updated_at, ?3){string.Concat(assignments)} WHERE company_id = ?1 AND id = ?2";
    }

    internal string ClearSql(ulong fields) =>
        $"UPDATE {_table} SET {string.Join(", ", Names(fields).Select(name => $"{Quote(name)} = NULL"))} WHERE company_id = ?1 AND id = ?2";

    internal string ClearDifferingSql(ulong fields) =>
        $"{ClearSql(fields)} AND ({string.Join(" OR ", Names(fields).Select((name, index) => $"{Quote(name)} IS NOT ?{3 + index}"))})";

    internal string UpdateDifferingSql(ulong fields)
    {
        var differences = Names(fields).Select((name, index) => $"{Quote(name)} IS NOT ?{4 + index}");
        return $"{UpdateSql(fields)} AND ({string.Join(" OR ", differences)})";
    }

    /// <summary>Binds a row, but for its company, to the statement that <see cref="InsertSql"/> or <see cref="UpdateSql"/> made for the same fields.</summary>
    internal void BindRow(SqliteStatement statement, ResourceRow row, bool isNew, ulong fields)
    {
        statement.Bind(2, row.Id).Bind(3, StoredTime.From(row.UpdatedAt));
        var parameter = 4;
        if (isNew)
            statement.Bind(parameter++, StoredTime.From(row.CreatedAt));
        BindValues(statement, parameter, row, fields);
    }

    internal void BindValues(SqliteStatement statement, int parameter, ResourceRow row, ulong fields)
    {
        for (; fields != 0; fields &= fields - 1)
        {
            var index = System.Numerics.BitOperations.TrailingZeroCount(fields);
            BindValue(statement, parameter++, _resource.Fields[index].Type, row.Values[index]);
        }
    }

    /// <summary>Reads a row of the columns that <see cref="SelectSql"/> lists for the same fields.</summary>
    internal ResourceRow ReadRow(SqliteStatement row, Guid id, ulong fields)
    {
        var values = new string?[_resource.Fields.Count];
        var column = FirstFieldColumn;
        for (; fields != 0; fields &= fields - 1)
        {
            var index = System.Numerics.BitOperations.TrailingZeroCount(fields);
            values[index] = ReadValue(row, column++, _resource.Fields[index].Type);
        }

        return new ResourceRow(id, values, StoredTime.To(row.Int64(1)), StoredTime.To(row.Int64(2)));
    }

    internal IReadOnlyList<ResourceRow> List(SqliteSession session, Guid companyId, ResourceQuery query)
    {
        var conditions = query.Equal.Select((equal, index) => $" AND {Quote(equal.Field.Name)} = ?{5 + index}");
        var sql = $"""
            SELECT {ColumnList(_resource.AllFields)} FROM {_table}
            WHERE company_id = ?1{(query.UpdatedAfter is null ? "" : " AND updated_at >= ?4")}{string.Concat(conditions)}
            ORDER BY id LIMIT ?2 OFFSET ?3
            """;
        var select = session.PrepareOnce(sql);
        try
        {
            select.Bind(1, companyId).Bind(2, query.Limit).Bind(3, query.Offset);
            if (query.UpdatedAfter is { } updatedAfter)
                select.Bind(4, StoredTime.From(updatedAfter));
            for (var index = 0; index < query.Equal.Count; index++)
                BindValue(select, 5 + index, query.Equal[index].Field.Type, query.Equal[index].Value);
            var rows = new List<ResourceRow>();
            while (select.Read())
                rows.Add(ReadRow(select, select.Guid(0), _resource.AllFields));
            return rows;
        }
        finally
        {
            select.Close();
        }
    }

    private void Create(SqliteSession session)
    {
        var fields = string.Concat(_resource.Fields.Select(field => $", {Quote(field.Name)} {ColumnType(field.Type)}"));
        session.Execute($"""
            CREATE TABLE {_table} (
                company_id BLOB NOT NULL, id BLOB NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL{fields},
                PRIMARY KEY (company_id, id)) STRICT, WITHOUT ROWID
            """);
    }

    private Dictionary<string, string> Columns(SqliteSession session)
    {
        using var info = session.Use($"SELECT name, type FROM pragma_table_info('{_resource.Name}')");
        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        while (info.Read())
            columns.Add(info.Text(0), info.Text(1));
        return columns;
    }

    private string ColumnList(ulong fields) =>
        "id, created_at, updated_at" + string.Concat(Names(fields).Select(name => ", " + Quote(name)));

    private IEnumerable<string> Names(ulong fields) => Resource.IndexesIn(fields).Select(index => _resource.Fields[index].Name);

    private static string Quote(string name) => $"\"{name}\"";

    private static string ColumnType(FieldType type) => type switch
    {
        FieldType.Uuid => "BLOB",
        FieldType.Integer or FieldType.Boolean => "INTEGER",
        _ => "TEXT",
    };

    private static void BindValue(SqliteStatement statement, int parameter, FieldType type, string? value)
    {
        switch (type)
        {
            case var _ when value is null:
                statement.BindNull(parameter);
                break;
            case FieldType.Uuid:
                statement.Bind(parameter, Guid.ParseExact(value, "D"));
                break;
            case FieldType.Integer:
                statement.Bind(parameter, long.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
                break;
            case FieldType.Boolean:
                statement.Bind(parameter, value == "true" ? 1 : 0);
                break;
            default:
                statement.Bind(parameter, value);
                break;
        }
    }

    private static string? ReadValue(SqliteStatement row, int column, FieldType type) => type switch
    {
        FieldType.Text or FieldType.Date or FieldType.Map => row.TextOrNull(column),
        _ when row.IsNull(column) => null,
        FieldType.Uuid => row.Guid(column).ToString("D"),
        FieldType.Integer => row.Int64(column).ToString(CultureInfo.InvariantCulture),
        FieldType.Boolean => row.Int64(column) != 0 ? "true" : "false",
        _ => throw new InvalidOperationException($"Fields of type {type} have no column."),
    };
}
