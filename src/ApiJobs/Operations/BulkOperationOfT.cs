using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ApiJobs.Jobs;
using ApiJobs.Records;

namespace ApiJobs.Operations;

/// <summary>A hand-written operation on typed records; the guide <c>docs/guides/coded-operations.md</c> says what to mind.</summary>
/// <typeparam name="TRecord">What a record's JSON is read into.</typeparam>
/// <example>
/// <code>
/// public sealed class TagCases() : BulkOperation&lt;Tag&gt;("case_tag_bulk_create", "Tag", TagJson.Default.Tag)
/// {
///     protected override string? KeyOf(Tag tag) => tag.CaseId?.ToString();
///
///     protected override async Task ApplyAsync(
///         IReadOnlyList&lt;BulkRecord&lt;Tag&gt;&gt; records, OperationContext context, CancellationToken cancellationToken)
///     {
///         foreach (var record in records)
///         {
///             await using var insert = context.CreateCommand("INSERT …");
///             …
///             record.Record.Created();
///         }
///     }
/// }
/// </code>
/// </example>
public abstract class BulkOperation<TRecord>(string type, string label, JsonTypeInfo<TRecord> json) : BulkOperation
    where TRecord : class
{
    /// <inheritdoc/>
    public sealed override string Type => type;

    /// <inheritdoc/>
    public sealed override string Label => label;

    /// <summary>The record's key, for messages and results; null if it has none.</summary>
    protected virtual string? KeyOf(TRecord content) => null;

    /// <summary>Checks a record beyond what its type says; refuse it with <see cref="JobRecord.Fail"/>.</summary>
    protected virtual void Check(BulkRecord<TRecord> record)
    {
    }

    /// <summary>Makes the effects and gives every record its outcome.</summary>
    /// <inheritdoc cref="BulkOperation.ApplyAsync"/>
    protected abstract Task ApplyAsync(
        IReadOnlyList<BulkRecord<TRecord>> records, OperationContext context, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public sealed override void Prepare(JobRecord record, JobOptions options)
    {
        ArgumentNullException.ThrowIfNull(record);
        TRecord content;
        try
        {
            content = JsonSerializer.Deserialize(record.Json.Span, json)!;
        }
        // JsonDocument and string reads throw InvalidOperationException on half a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            var path = (exception as JsonException)?.Path;
            record.Fail(
                RecordErrorCodes.WrongType, $"The record cannot be read as {label}{(path is null ? "" : $": see {path}")}.", JsonPointer.OfPath(path));
            return;
        }

        record.Content = content;
        record.Key = KeyOf(content);
        Check(new(record, content));
    }

    /// <inheritdoc/>
    public sealed override Task ApplyAsync(
        IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken) =>
        ApplyAsync([.. records.Select(record => new BulkRecord<TRecord>(record, (TRecord)record.Content!))], context, cancellationToken);
}

/// <summary>A record and its typed content.</summary>
/// <param name="Record">Where the record's outcome is given.</param>
/// <param name="Content">What its JSON was read into.</param>
public readonly record struct BulkRecord<TRecord>(JobRecord Record, TRecord Content)
    where TRecord : class
{
    /// <inheritdoc cref="JobRecord.IdempotencyKey"/>
    public string IdempotencyKey => Record.IdempotencyKey;
}
