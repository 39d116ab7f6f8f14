using System.Buffers;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using ApiJobs.Operations;
using ApiJobs.Storage;

namespace ApiJobs.Resources;

/// <summary>The transaction as a rehearsal of a declared resource sees it: reads rows as they would be, and notes what it would write.</summary>
/// <remarks>
/// Outcomes are decided from what a transaction answers, so a rehearsal whose every answer is that of the real run has its outcomes too
/// (decision 0024). What the call finds and notes is remembered for the call only: it is rolled back as a whole, or not at all.
/// </remarks>
internal sealed class RehearsalTransaction(Resource resource, Guid jobId, OperationContext context) : IChunkTransaction
{
    private readonly IChunkTransaction _real = context.Transaction;
    private readonly Dictionary<Guid, RowNote?> _known = [];

    public DbConnection Connection => _real.Connection;

    public DbTransaction Transaction => _real.Transaction;

    public DateTimeOffset Now => _real.Now;

    public IRehearsalNotes RehearsalNotes => _real.RehearsalNotes;

    public Task InSavepointAsync(Func<Task> work, CancellationToken cancellationToken) => _real.InSavepointAsync(work, cancellationToken);

    public async Task<Dictionary<Guid, ResourceRow>> LoadRowsAsync(
        Resource target, Guid companyId, IReadOnlyCollection<Guid> ids, ulong fields, CancellationToken cancellationToken)
    {
        var rows = await _real.LoadRowsAsync(target, companyId, ids, fields, cancellationToken);
        if (target.Name != resource.Name)
            return rows;
        await KnowAsync(companyId, ids, cancellationToken);
        foreach (var id in ids)
        {
            if (_known[id] is { } note && note.Over(id, rows.GetValueOrDefault(id), fields, Now) is { } row)
                rows[id] = row;
        }

        return rows;
    }

    public async Task<Dictionary<string, Guid>> FindByUniqueAsync(
        Resource target, Guid companyId, Field field, IReadOnlyCollection<string> values, CancellationToken cancellationToken)
    {
        ThrowIfOther(target);
        if (context.IsFirstOfJob)
            return await _real.FindByUniqueAsync(resource, companyId, field, values, cancellationToken);

        // Who took a value last in the rehearsal, or else who really has it; if that row has not given it away since.
        var keys = values.ToDictionary(value => value, value => ValueKey(field, value), StringComparer.Ordinal);
        var takers = await RehearsalNotes.ReadAsync(companyId, jobId, RehearsalNoteKind.Value, keys.Values, cancellationToken);
        var untaken = values.Where(value => !takers.ContainsKey(keys[value])).ToArray();
        var found = await _real.FindByUniqueAsync(resource, companyId, field, untaken, cancellationToken);
        foreach (var (value, key) in keys)
        {
            if (takers.TryGetValue(key, out var taker))
                found[value] = new(taker.Span, bigEndian: true);
        }

        await KnowAsync(companyId, found.Values, cancellationToken);
        var index = resource.IndexOf(field.Name);
        foreach (var value in values)
        {
            if (found.TryGetValue(value, out var id) && HasGivenAway(id, index, value))
                found.Remove(value);
        }

        return found;
    }

    public async Task<HashSet<Guid>> UpdateDifferingAsync(
        Resource target, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken)
    {
        ThrowIfOther(target);
        var fields = rows.Aggregate(0UL, (all, write) => all | write.Fields);
        var real = await _real.LoadRowsAsync(resource, companyId, Ids(rows), fields, cancellationToken);
        var updated = new HashSet<Guid>(rows.Count);
        if (context.IsFirstOfJob || !context.IsLastOfJob)
        {
            // Nearly every row is met once in a job, so its note is added blindly; those that have one already are told apart by that.
            var differing = rows.Where(write => real.TryGetValue(write.Row.Id, out var row) && Differs(row, write)).ToArray();
            updated.UnionWith(differing.Select(write => write.Row.Id));
            if (!context.IsLastOfJob)
            {
                var notes = Notes(differing, write => _known[write.Row.Id] = NoteOf(write, before: null));
                foreach (var id in await RehearsalNotes.AddAsync(companyId, jobId, RehearsalNoteKind.Row, notes, cancellationToken))
                {
                    _known.Remove(id);
                    updated.Remove(id);
                }
            }
        }

        if (context.IsFirstOfJob)
            return updated;
        var rest = rows.Where(write => !updated.Contains(write.Row.Id)).ToArray();
        await KnowAsync(companyId, Ids(rest), cancellationToken);
        var again = Array.FindAll(rest, write =>
        {
            var row = real.GetValueOrDefault(write.Row.Id);
            return (_known[write.Row.Id] is { } note ? note.Over(write.Row.Id, row, fields, Now) : row) is { } seen && Differs(seen, write);
        });
        await WriteRowsAsync(resource, companyId, again, cancellationToken);
        updated.UnionWith(again.Select(write => write.Row.Id));
        return updated;
    }

    public async Task WriteRowsAsync(Resource target, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken)
    {
        ThrowIfOther(target);
        if (context.IsLastOfJob || rows.Count == 0)
            return;
        await KnowAsync(companyId, Ids(rows), cancellationToken);
        var notes = Notes(rows, write => _known[write.Row.Id] = NoteOf(write, _known[write.Row.Id]));
        await RehearsalNotes.WriteAsync(companyId, jobId, RehearsalNoteKind.Row, notes, cancellationToken);

        var taken = new Dictionary<Guid, RehearsalNote>();
        for (var index = 0; index < resource.Fields.Count; index++)
        {
            var field = resource.Fields[index];
            if (!field.IsUnique)
                continue;
            foreach (var write in rows)
            {
                if ((write.IsNew || (write.Fields >> index & 1) == 1) && write.Row.Values[index] is { } value)
                    taken[ValueKey(field, value)] = new(ValueKey(field, value), write.Row.Id.ToByteArray(bigEndian: true));
            }
        }

        if (taken.Count > 0)
            await RehearsalNotes.WriteAsync(companyId, jobId, RehearsalNoteKind.Value, [.. taken.Values], cancellationToken);
    }

    private async Task KnowAsync(Guid companyId, IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        var unknown = new HashSet<Guid>();
        foreach (var id in ids)
        {
            if (_known.TryAdd(id, null))
                unknown.Add(id);
        }

        if (unknown.Count == 0 || context.IsFirstOfJob)
            return;
        foreach (var (id, content) in await RehearsalNotes.ReadAsync(companyId, jobId, RehearsalNoteKind.Row, unknown, cancellationToken))
            _known[id] = RowNote.Read(resource, content.Span);
    }

    private bool HasGivenAway(Guid id, int field, string value) =>
        _known[id] is { } note && (note.Fields >> field & 1) == 1 && !string.Equals(note[field], value, StringComparison.Ordinal);

    private RowNote NoteOf(RowWrite write, RowNote? before)
    {
        var note = write.IsNew || before is null ? new RowNote(resource, write.IsNew) : before;
        note.Set(write.Row.Values, write.IsNew ? resource.AllFields : write.Fields);
        return note;
    }

    private static RehearsalNote[] Notes(IReadOnlyList<RowWrite> rows, Func<RowWrite, RowNote> noteOf)
    {
        var content = new ArrayBufferWriter<byte>();
        var ends = new int[rows.Count];
        for (var i = 0; i < ends.Length; i++)
        {
            noteOf(rows[i]).WriteTo(content);
            ends[i] = content.WrittenCount;
        }

        var notes = new RehearsalNote[ends.Length];
        for (var i = 0; i < ends.Length; i++)
            notes[i] = new(rows[i].Row.Id, content.WrittenMemory[(i == 0 ? 0 : ends[i - 1])..ends[i]]);
        return notes;
    }

    // Of one length whatever the value's: the store's key would have no room for a long one that the resource's index takes.
    private static Guid ValueKey(Field field, string value)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{field.Name}={value}"), digest);
        return new(digest[..16], bigEndian: true);
    }

    private static bool Differs(ResourceRow row, RowWrite write)
    {
        foreach (var field in Resource.IndexesIn(write.Fields))
        {
            if (!string.Equals(row.Values[field], write.Row.Values[field], StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static Guid[] Ids(IReadOnlyList<RowWrite> rows)
    {
        var ids = new Guid[rows.Count];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = rows[i].Row.Id;
        return ids;
    }

    private void ThrowIfOther(Resource other)
    {
        if (other.Name != resource.Name)
            throw new ArgumentException($"A rehearsal of '{resource.Name}' has to do with '{other.Name}'.", nameof(other));
    }
}
