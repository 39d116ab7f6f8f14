using System.Text.Json;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;

namespace ApiJobs.Resources;

/// <summary>What a bulk request does with a declared resource's records.</summary>
public enum ResourceVerb
{
    /// <summary>Makes a row; refuses an id that exists.</summary>
    Create,

    /// <summary>Merges into an existing row (RFC 7396): an absent field is left, null clears.</summary>
    Update,

    /// <summary>Updates the row if it exists, else makes it.</summary>
    Upsert,
}

/// <summary>The bulk operation of a declared resource: checks each record by itself, then against the rows, and writes what changed.</summary>
/// <remarks>
/// Updates of existing rows that differ are made directly where nothing else has to be looked at (<see cref="DirectUpdate"/>).
/// For the rest the store is asked for all rows that the records name, and given all rows that they changed; what lies between
/// is decided here, record by record in input order. So both stores give the same outcomes by construction.
/// </remarks>
public sealed class ResourceOperation(Resource resource, ResourceVerb verb, ResourceCatalog catalog) : BulkOperation
{
    private readonly RecordParser _parser = new(resource);

    /// <summary>The resource.</summary>
    public Resource Resource => resource;

    /// <summary>What is done with its records.</summary>
    public ResourceVerb Verb => verb;

    /// <inheritdoc/>
    public override string Type { get; } = $"{resource.Name}_bulk_{verb.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override string Label => resource.Label;

    /// <summary>As many as <see cref="Intake.IntakeOptions.ChunkRecords"/> allows: the statements are the engine's, and quick.</summary>
    public override int MaxChunkRecords => int.MaxValue;

    /// <summary>Every request can be rehearsed, exactly over all of its records.</summary>
    public override bool CanRehearse => true;

    internal override bool HasStatementsOfItsOwn => false;

    internal override bool KeepsRehearsalsApart => true;

    /// <summary>The fields an upsert may find its rows by, beside <c>id</c>.</summary>
    public IEnumerable<string> KeyFields =>
        verb == ResourceVerb.Upsert ? resource.Fields.Where(candidate => candidate.IsUnique).Select(candidate => candidate.Name) : [];

    /// <inheritdoc/>
    public override string? KeyMember(JobOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.KeyField ?? (verb == ResourceVerb.Create ? null : ResourceNames.Id);
    }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> KnownMembers => resource.RecordMembers;

    /// <inheritdoc/>
    public override void Prepare(JobRecord record, JobOptions options)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(options);
        var change = _parser.Parse(record);
        record.Content = change;
        if (options.KeyField is { } keyField)
            record.Key = change.Values[resource.IndexOf(keyField)];

        CheckKey(record, change, options.KeyField);
        if (verb == ResourceVerb.Create)
            RequireFields(record, change.Present);
        change.RowId = change.SentId ?? MadeIds.Make(record.JobId, record.Index);
        if (verb != ResourceVerb.Update && change.SentId is null)
            record.MadeKey = change.RowId.ToString();
    }

    /// <remarks>A list of a million results is mostly this. A record that was not refused has an id once, and a whole one, or none.</remarks>
    internal override bool TryReadKey(ReadOnlySpan<byte> json, ApiJob job, long index, RecordOutcome outcome, out string? key)
    {
        key = null;
        if (job.Options.KeyField is not null)
            return false;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals(ResourceNames.Id);
            reader.Read();
            if (isId && reader.TokenType == JsonTokenType.String)
            {
                key = reader.GetString();
                return true;
            }

            reader.Skip();
        }

        if (verb != ResourceVerb.Update && outcome == RecordOutcome.Created)
            key = MadeIds.Make(job.Id, index).ToString();
        return true;
    }

    /// <inheritdoc/>
    public override async Task ApplyAsync(
        IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(context);
        if (context.IsRehearsal)
            context = context with { Transaction = new RehearsalTransaction(resource, records[0].JobId, context) };
        var undecided = verb == ResourceVerb.Update
            ? await DirectUpdate.ApplyAsync(resource, records, context, cancellationToken)
            : records;
        if (undecided.Count == 0)
            return;

        var rows = await RowSet.LoadAsync(resource, catalog, undecided, context, cancellationToken);
        foreach (var record in undecided)
            Apply(record, (RecordChange)record.Content!, rows, context.Options.KeyField);
        await rows.WriteAsync(cancellationToken);
    }

    private void Apply(JobRecord record, RecordChange change, RowSet rows, string? keyField)
    {
        var row = keyField is null
            ? rows.Find(change.SentId ?? change.RowId)
            : rows.FindByUnique(resource.IndexOf(keyField), change.Values[resource.IndexOf(keyField)]!);

        if (row is null && verb == ResourceVerb.Update)
        {
            record.Fail(RecordErrorCodes.NotFound, $"{resource.Label} does not exist.", ResourceNames.IdPointer);
            return;
        }

        if (row is not null && verb == ResourceVerb.Create)
        {
            record.Fail(RecordErrorCodes.AlreadyExists, $"{resource.Label} {row.Id} exists already.", ResourceNames.IdPointer);
            return;
        }

        if (row is null)
            Create(record, change, rows);
        else if (keyField is not null && change.SentId is { } sentId && sentId != row.Id)
            record.Fail(RecordErrorCodes.NotUnique, $"{resource.Label} {row.Id} has this '{keyField}' already.", JsonPointer.To(keyField));
        else if (rows.TryMerge(row, change, record, out var changed) && changed == 0)
            record.Unchanged();
        else if (record.Outcome != RecordOutcome.Failed)
            record.Updated();
    }

    private void Create(JobRecord record, RecordChange change, RowSet rows)
    {
        // An upsert by another field may name the id of a row that has another value in that field.
        if (rows.Find(change.RowId) is not null)
        {
            record.Fail(RecordErrorCodes.AlreadyExists, $"{resource.Label} {change.RowId} exists already.", ResourceNames.IdPointer);
            return;
        }

        RequireFields(record, change.Present);
        if (record.Outcome != RecordOutcome.Failed && rows.TryAdd(change, record))
            record.Created();
    }

    private void CheckKey(JobRecord record, RecordChange change, string? keyField)
    {
        // A key that was sent but cannot be read has its own error already.
        if (record.Errors.Any(error => error.Pointer == JsonPointer.To(keyField ?? ResourceNames.Id)))
            return;
        if (keyField is not null && change.Values[resource.IndexOf(keyField)] is null)
            record.Fail(RecordErrorCodes.MissingKey, $"The record has no '{keyField}', which this request finds its rows by.", JsonPointer.To(keyField));
        else if (keyField is null && verb != ResourceVerb.Create && change.SentId is null)
            record.Fail(RecordErrorCodes.MissingKey, "The record has no 'id'; it is needed to find the row.", ResourceNames.IdPointer);
    }

    private void RequireFields(JobRecord record, ulong present)
    {
        for (var index = 0; index < resource.Fields.Count; index++)
        {
            if (resource.Fields[index].IsRequired && (present & (1UL << index)) == 0)
                record.Fail(RecordErrorCodes.RequiredField, $"The field '{resource.Fields[index].Name}' is required.", resource.Fields[index].Pointer);
        }
    }
}
