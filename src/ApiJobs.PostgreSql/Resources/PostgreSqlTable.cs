using System.Collections.Concurrent;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Resources;

/// <summary>A declared resource's table, and the statements that read and write it.</summary>
internal sealed class PostgreSqlTable
{
    // Callers choose which fields a record has, so sets are many; beyond these the text is built each time.
    private const int MaxCachedStatements = 256;

    // Rows are updated by one statement for each set of changed fields; with more sets, by one for all of them.
    private const int MaxFieldSets = 4;

    // An update is a join, and joins of a middling table are planned to read it whole: ten times the work of a thousand
    // look-ups. Put back afterwards, for what an operation's own statements do in the same transaction.
    private const string OnlyLookUps = "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)";
    private const string AnyJoin = "SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)";

    private readonly Resource _resource;
    private readonly ConcurrentDictionary<(StatementKind Kind, ulong Fields), string> _texts = new();

    internal PostgreSqlTable(Resource resource)
    {
        _resource = resource;
        Name = $"\"{resource.Name}\"";
        Columns = [.. resource.Fields.Select(field => new FieldColumn(field))];
    }

    private enum StatementKind { Load, Insert, Update, UpdateByMask, UpdateDiffering, UpdateDifferingByMask }

    /// <summary>The table's name, quoted.</summary>
    internal string Name { get; }

    internal IReadOnlyList<FieldColumn> Columns { get; }

    /// <summary>Reads rows by id.</summary>
    internal NpgsqlBatchCommand Load(Guid companyId, IReadOnlyCollection<Guid> ids, ulong fields) => Sql.Statement(
        Text(StatementKind.Load, fields), Sql.Value(companyId), Sql.Array(ids.ToArray(), NpgsqlDbType.Uuid));

    /// <summary>Reads a row that <see cref="Load"/> or <see cref="List"/> selected.</summary>
    internal ResourceRow ReadRow(NpgsqlDataReader row, ulong fields)
    {
        var values = new string?[Columns.Count];
        var ordinal = 3;
        foreach (var index in Resource.IndexesIn(fields))
            values[index] = Columns[index].Read(row, ordinal++);
        return new(row.GetGuid(0), values, row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2));
    }

    /// <summary>Reads value and id of the rows that hold the values in a unique field.</summary>
    internal NpgsqlBatchCommand FindByUnique(Guid companyId, Field field, IReadOnlyCollection<string> values)
    {
        var column = ColumnOf(field);
        return Sql.Statement(ByKey("n.key, t.id", "id", "text", column.Name), Sql.Value(companyId), Sql.Array(values.ToArray(), NpgsqlDbType.Text));
    }

    /// <summary>Reads a page of rows with all their fields.</summary>
    /// <returns>Null if no row can match, because a value is not of its field's type.</returns>
    internal NpgsqlBatchCommand? List(Guid companyId, ResourceQuery query)
    {
        var statement = Sql.Statement("", Sql.Value(companyId), Sql.Value(query.Limit), Sql.Value(query.Offset));
        var conditions = "";
        foreach (var (field, value) in query.Equal)
        {
            var column = ColumnOf(field);
            if (column.Comparand(value) is not { } comparand)
                return null;
            statement.Parameters.Add(comparand);
            conditions += $" AND {column.Name} = ${statement.Parameters.Count}";
        }

        if (query.UpdatedAfter is { } updatedAfter)
        {
            // At or after, so that whoever asks again with the last time it saw misses no row of the same moment.
            statement.Parameters.Add(Sql.Value(updatedAfter));
            conditions += $" AND updated_at >= ${statement.Parameters.Count}";
        }

        statement.CommandText =
            $"SELECT {Selected(_resource.AllFields)} FROM {Name} WHERE company_id = $1{conditions} ORDER BY id LIMIT $2 OFFSET $3";
        return statement;
    }

    /// <summary>Writes rows. They go in the order of their ids, so that two transactions lock them in the same order.</summary>
    internal IEnumerable<NpgsqlBatchCommand> Write(Guid companyId, IReadOnlyList<RowWrite> rows)
    {
        foreach (var clearing in ClearMoved(companyId, rows))
            yield return clearing;
        var sorted = rows.OrderBy(row => row.Row.Id).ToLookup(row => row.IsNew);
        var added = sorted[true].ToArray();
        if (added.Length > 0)
            yield return Insert(companyId, added);

        foreach (var update in Updates(companyId, sorted[false].Where(row => row.Fields != 0), StatementKind.Update, StatementKind.UpdateByMask))
            yield return update;
    }

    /// <summary>Updates the rows that differ. Its updates give the ids of these, some twice; what surrounds them gives texts.</summary>
    internal IEnumerable<NpgsqlBatchCommand> UpdateDiffering(Guid companyId, IReadOnlyList<RowWrite> rows) =>
    [
        .. ClearMoved(companyId, rows),
        .. Updates(companyId, rows.OrderBy(row => row.Row.Id), StatementKind.UpdateDiffering, StatementKind.UpdateDifferingByMask),
    ];

    /// <summary>Takes unique values from rows that are about to lose them to another row of the same group, and gives those rows' ids.</summary>
    /// <remarks>PostgreSQL checks a unique index row by row, so values that move on from row to row would meet on their way.</remarks>
    private IEnumerable<NpgsqlBatchCommand> ClearMoved(Guid companyId, IReadOnlyList<RowWrite> rows)
    {
        for (var index = 0; index < Columns.Count; index++)
        {
            if (!_resource.Fields[index].IsUnique)
                continue;
            var field = index;
            var setting = rows.Where(row => row.IsNew || (row.Fields >> field & 1) == 1).OrderBy(row => row.Row.Id).ToArray();
            var losing = Array.FindAll(setting, row => !row.IsNew);
            var gaining = Array.FindAll(setting, row => row.Row.Values[field] is not null);
            if (losing.Length == 0 || gaining.Length == 0 || setting.Length == 1)
                continue;
            yield return Sql.Statement(OnlyLookUps);
            yield return Sql.Statement(
                $"""
                UPDATE {Name} t SET {Columns[field].Name} = NULL, updated_at = GREATEST(t.updated_at, $5)
                FROM (SELECT $1::uuid AS company_id, * FROM unnest($2::uuid[], $3::{Columns[field].SqlType}[]) AS n(id, value) OFFSET 0) n
                WHERE t.company_id = n.company_id AND t.{Columns[field].Name} = n.value AND t.id <> n.id AND t.id = ANY($4)
                RETURNING t.id
                """,
                Sql.Value(companyId), Ids(gaining), Columns[field].Values(gaining, field), Ids(losing),
                Sql.Value(losing.Max(row => row.Row.UpdatedAt)));
            yield return Sql.Statement(AnyJoin);
        }
    }

    private IEnumerable<NpgsqlBatchCommand> Updates(Guid companyId, IEnumerable<RowWrite> rows, StatementKind kind, StatementKind kindByMask)
    {
        var sets = rows.GroupBy(row => row.Fields).ToArray();
        if (sets.Length == 0)
            yield break;
        yield return Sql.Statement(OnlyLookUps);
        if (sets.Length <= MaxFieldSets)
        {
            foreach (var set in sets)
                yield return Update(companyId, [.. set], kind, set.Key);
        }
        else
        {
            var all = sets.Aggregate(0UL, (fields, set) => fields | set.Key);
            yield return Update(companyId, [.. rows], kindByMask, all);
        }

        yield return Sql.Statement(AnyJoin);
    }

    private NpgsqlBatchCommand Insert(Guid companyId, RowWrite[] rows)
    {
        var statement = Sql.Statement(Text(StatementKind.Insert, _resource.AllFields), Sql.Value(companyId), Ids(rows));
        AddValues(statement, rows, _resource.AllFields);
        statement.Parameters.Add(Times(rows, row => row.CreatedAt));
        statement.Parameters.Add(Times(rows, row => row.UpdatedAt > row.CreatedAt ? row.UpdatedAt : row.CreatedAt));
        return statement;
    }

    private NpgsqlBatchCommand Update(Guid companyId, RowWrite[] rows, StatementKind kind, ulong fields)
    {
        var statement = Sql.Statement(Text(kind, fields), Sql.Value(companyId), Ids(rows));
        AddValues(statement, rows, fields);
        statement.Parameters.Add(Times(rows, row => row.UpdatedAt));
        if (IsByMask(kind))
            statement.Parameters.Add(Sql.Array(Array.ConvertAll(rows, row => (long)row.Fields), NpgsqlDbType.Bigint));
        return statement;
    }

    private void AddValues(NpgsqlBatchCommand statement, RowWrite[] rows, ulong fields)
    {
        foreach (var index in Resource.IndexesIn(fields))
            statement.Parameters.Add(Columns[index].Values(rows, index));
    }

    private string Text(StatementKind kind, ulong fields)
    {
        if (_texts.TryGetValue((kind, fields), out var text))
            return text;
        text = kind switch
        {
            StatementKind.Load => LoadText(fields),
            StatementKind.Insert => InsertText(),
            _ => UpdateText(fields, IsByMask(kind), onlyDiffering: kind is StatementKind.UpdateDiffering or StatementKind.UpdateDifferingByMask),
        };
        if (_texts.Count < MaxCachedStatements)
            _texts.TryAdd((kind, fields), text);
        return text;
    }

    private string Selected(ulong fields) =>
        string.Join(", ", Resource.IndexesIn(fields).Select(index => Columns[index].Name).Prepend("id, created_at, updated_at"));

    private string LoadText(ulong fields) => ByKey("t.*", Selected(fields), "uuid", "id");

    // A lateral LIMIT leaves the planner no choice but a look-up for each key. A join, or ANY, reads all rows of a company
    // that the table's statistics do not know yet: a new customer's first import is just that. And OFFSET keeps the company a column of
    // the join, which is taken to have as many rows as others have. Of a company that is said to have none, any index that begins with
    // the company seems as good as the key's own, and the one that is chosen reads all its rows for every key.
    private string ByKey(string shown, string selected, string sqlType, string column) => $"""
        SELECT {shown} FROM (SELECT $1::uuid AS company_id, key FROM unnest($2::{sqlType}[]) AS n(key) OFFSET 0) n
        CROSS JOIN LATERAL (SELECT {selected} FROM {Name} WHERE company_id = n.company_id AND {column} = n.key LIMIT 1) t
        """;

    private string InsertText()
    {
        var columns = Columns.Select(column => column.Name);
        var arrays = Columns.Select((column, i) => $"${i + 3}::{column.SqlType}[]");
        return $"""
            INSERT INTO {Name} (company_id, {string.Join(", ", [.. columns.Prepend("id"), "created_at", "updated_at"])})
            SELECT $1, * FROM unnest({string.Join(", ", [.. arrays.Prepend("$2::uuid[]"), $"${Columns.Count + 3}::timestamptz[]", $"${Columns.Count + 4}::timestamptz[]"])})
            """;
    }

    private static bool IsByMask(StatementKind kind) => kind is StatementKind.UpdateByMask or StatementKind.UpdateDifferingByMask;

    private string UpdateText(ulong fields, bool isByMask, bool onlyDiffering)
    {
        var indexes = Resource.IndexesIn(fields).ToArray();
        var arrays = indexes.Select((index, i) => $"${i + 3}::{Columns[index].SqlType}[]");
        var names = indexes.Select(index => Columns[index].Name);
        // A row keeps the fields that its own set lacks: the caller may not even have loaded them.
        var assignments = indexes.Select(index => isByMask
            ? $"{Columns[index].Name} = CASE WHEN n.\"#fields\" >> {index} & 1 = 1 THEN n.{Columns[index].Name} ELSE t.{Columns[index].Name} END"
            : $"{Columns[index].Name} = n.{Columns[index].Name}");
        var differences = indexes.Select(index => (isByMask ? $"n.\"#fields\" >> {index} & 1 = 1 AND " : "")
            + $"t.{Columns[index].Name} IS DISTINCT FROM n.{Columns[index].Name}");
        var condition = onlyDiffering ? $" AND ({string.Join(" OR ", differences)}) RETURNING t.id" : "";
        string[] mask = isByMask ? [$"${indexes.Length + 4}::bigint[]"] : [];
        string[] maskName = isByMask ? ["\"#fields\""] : [];
        // OFFSET keeps the company a column of the join, for the reason that ByKey gives.
        return $"""
            UPDATE {Name} t SET {string.Join(", ", assignments.Append("updated_at = GREATEST(t.updated_at, n.updated_at)"))}
            FROM (
                SELECT $1::uuid AS company_id, *
                FROM unnest({string.Join(", ", [.. arrays.Prepend("$2::uuid[]"), $"${indexes.Length + 3}::timestamptz[]", .. mask])})
                    AS n({string.Join(", ", [.. names.Prepend("id"), "updated_at", .. maskName])})
                OFFSET 0) n
            WHERE t.company_id = n.company_id AND t.id = n.id{condition}
            """;
    }

    private FieldColumn ColumnOf(Field field) =>
        _resource.IndexOf(field.Name) is >= 0 and var index
            ? Columns[index]
            : throw new ArgumentException($"Resource '{_resource.Name}' has no field '{field.Name}'.", nameof(field));

    private static NpgsqlParameter Ids(RowWrite[] rows) => Sql.Array(Array.ConvertAll(rows, row => row.Row.Id), NpgsqlDbType.Uuid);

    private static NpgsqlParameter Times(RowWrite[] rows, Func<ResourceRow, DateTimeOffset> time) =>
        Sql.Array(Array.ConvertAll(rows, row => Sql.Microseconds(time(row.Row))), NpgsqlDbType.TimestampTz);
}
