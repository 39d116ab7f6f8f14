using ApiJobs.Operations;
using ApiJobs.Records;

namespace ApiJobs.Resources;

/// <summary>The rows that a group of records names, as they are after the records applied so far.</summary>
internal sealed class RowSet
{
    private readonly Resource _resource;
    private readonly OperationContext _context;
    private readonly Dictionary<Guid, Row> _rows = [];

    // For each unique field that the records set: which row holds which of the values they set.
    private readonly Dictionary<int, Dictionary<string, Guid>> _holders = [];

    // For each field that refers to a resource: which of the ids the records set exist there.
    private readonly Dictionary<int, HashSet<Guid>> _targets = [];

    private readonly List<Row> _dirty = [];

    private RowSet(Resource resource, OperationContext context)
    {
        _resource = resource;
        _context = context;
    }

    /// <summary>Reads everything that deciding on the records needs: a few statements, however many records there are.</summary>
    public static async Task<RowSet> LoadAsync(
        Resource resource, ResourceCatalog catalog, IReadOnlyList<JobRecord> records, OperationContext context,
        CancellationToken cancellationToken)
    {
        var set = new RowSet(resource, context);
        var ids = new HashSet<Guid>(records.Count);
        var fields = 0UL;
        foreach (var record in records)
        {
            var change = (RecordChange)record.Content!;
            ids.Add(change.RowId);
            fields |= change.Present;
        }

        foreach (var index in Resource.IndexesIn(fields))
        {
            var field = resource.Fields[index];
            if (field.IsUnique)
            {
                var holders = await context.Transaction.FindByUniqueAsync(
                    resource, context.CompanyId, field, ValuesOf(records, index), cancellationToken);
                set._holders.Add(index, holders);
                ids.UnionWith(holders.Values);
            }

            if (field.References is { } target)
            {
                var targetIds = ValuesOf(records, index).Select(UuidText.Read).ToHashSet();
                var found = await context.Transaction.LoadRowsAsync(catalog[target], context.CompanyId, targetIds, 0, cancellationToken);
                set._targets.Add(index, [.. found.Keys]);
            }
        }

        var loaded = await context.Transaction.LoadRowsAsync(resource, context.CompanyId, ids, fields, cancellationToken);
        foreach (var row in loaded.Values)
            set._rows.Add(row.Id, new(row.Id, row.Values, row.CreatedAt, isNew: false));
        return set;
    }

    public Row? Find(Guid id) => _rows.GetValueOrDefault(id);

    public Row? FindByUnique(int field, string value) =>
        _holders[field].TryGetValue(value, out var id) ? Find(id) : null;

    /// <summary>Merges a record into a row, unless that would break a rule: then the record fails and the row stays.</summary>
    /// <param name="row">The row.</param>
    /// <param name="change">What the record asks.</param>
    /// <param name="record">The record, for its errors.</param>
    /// <param name="changed">The fields whose values really changed.</param>
    public bool TryMerge(Row row, RecordChange change, JobRecord record, out ulong changed)
    {
        changed = 0;
        var merged = change.Values;
        foreach (var index in Resource.IndexesIn(change.Present))
        {
            var field = _resource.Fields[index];
            if (field.Type == FieldType.Map)
            {
                // Not into the change itself: it is applied again if this attempt is rolled back.
                if (ReferenceEquals(merged, change.Values))
                    merged = (string?[])merged.Clone();
                if (!FieldMap.TryMerge(row.Values[index], change.Values[index], field.MaxMembers, out merged[index]))
                    record.Fail(RecordErrorCodes.TooManyMembers, $"'{field.Name}' would have more than {field.MaxMembers:N0} members.", field.Pointer);
            }

            if (!string.Equals(row.Values[index], merged[index], StringComparison.Ordinal))
                changed |= 1UL << index;
        }

        CheckRules(row, merged, changed, record);
        if (record.Outcome == RecordOutcome.Failed)
            return false;
        if (changed == 0)
            return true;

        foreach (var index in Resource.IndexesIn(changed))
        {
            MoveHolder(index, row, merged[index]);
            row.Values[index] = merged[index];
        }

        MarkDirty(row, changed);
        return true;
    }

    /// <summary>Adds the row that a record makes, unless that would break a rule: then the record fails.</summary>
    public bool TryAdd(RecordChange change, JobRecord record)
    {
        var row = new Row(change.RowId, new string?[_resource.Fields.Count], _context.Now, isNew: true);
        if (!TryMerge(row, change, record, out _))
            return false;
        _rows.Add(row.Id, row);
        MarkDirty(row, 0);
        return true;
    }

    /// <summary>Writes the rows that changed, each once, as they are at last.</summary>
    public Task WriteAsync(CancellationToken cancellationToken) =>
        _dirty.Count == 0
            ? Task.CompletedTask
            : _context.Transaction.WriteRowsAsync(
                _resource, _context.CompanyId,
                [.. _dirty.Select(row => new RowWrite(new(row.Id, row.Values, row.CreatedAt, _context.Now), row.IsNew, row.Dirty))],
                cancellationToken);

    private void CheckRules(Row row, string?[] merged, ulong changed, JobRecord record)
    {
        foreach (var index in Resource.IndexesIn(changed))
        {
            if (merged[index] is not { } value)
                continue;
            var field = _resource.Fields[index];
            if (field.IsUnique && _holders[index].TryGetValue(value, out var holder) && holder != row.Id)
                record.Fail(RecordErrorCodes.NotUnique, $"{_resource.Label} {holder} has this '{field.Name}' already.", field.Pointer);
            if (field.References is not null && !Exists(index, UuidText.Read(value)))
                record.Fail(RecordErrorCodes.ReferenceNotFound, $"The field '{field.Name}' names {value}, which does not exist.", field.Pointer);
        }
    }

    // A row may refer to one of its own resource that an earlier record of the group makes.
    private bool Exists(int index, Guid target) =>
        _targets[index].Contains(target) || (_resource.Fields[index].References == _resource.Name && _rows.ContainsKey(target));

    private void MoveHolder(int index, Row row, string? value)
    {
        if (!_holders.TryGetValue(index, out var holders))
            return;
        if (row.Values[index] is { } old && holders.TryGetValue(old, out var holder) && holder == row.Id)
            holders.Remove(old);
        if (value is not null)
            holders[value] = row.Id;
    }

    private void MarkDirty(Row row, ulong changed)
    {
        row.Dirty |= changed;
        if (row.IsListed)
            return;
        row.IsListed = true;
        _dirty.Add(row);
    }

    // A HashSet: stores are asked for distinct values.
    private static HashSet<string> ValuesOf(IReadOnlyList<JobRecord> records, int index)
    {
        var values = new HashSet<string>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (((RecordChange)record.Content!).Values[index] is { } value)
                values.Add(value);
        }

        return values;
    }

    /// <summary>A row as it is after the records applied so far.</summary>
    internal sealed class Row(Guid id, string?[] values, DateTimeOffset createdAt, bool isNew)
    {
        public Guid Id => id;

        public string?[] Values => values;

        public DateTimeOffset CreatedAt => createdAt;

        public bool IsNew => isNew;

        public ulong Dirty { get; set; }

        public bool IsListed { get; set; }
    }
}
