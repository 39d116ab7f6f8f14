using System.Buffers;
using System.Text.Json;
using ApiJobs.Resources;

namespace ApiJobs.Crash.Tests.Load;

/// <summary>One record of a request: which row, and what it writes there.</summary>
/// <param name="Id">The row's id; null lets the engine make one.</param>
/// <param name="Notes">The value; null sends a number instead, which is refused.</param>
internal sealed record PlannedRecord(Guid? Id, string? Notes);

/// <summary>A bulk request, made again from its seed and number whenever it is needed: a round of millions of records keeps none.</summary>
/// <remarks>
/// The rows are few and every value is new, so that a write which is lost, doubled or out of order shows in the rows or in
/// the outcomes of later records.
/// </remarks>
internal sealed class RequestPlan
{
    private const int Keys = 24;

    private RequestPlan(int number, ResourceVerb verb, bool isCutOff, IReadOnlyList<PlannedRecord> records)
    {
        Number = number;
        Verb = verb;
        IsCutOff = isCutOff;
        Records = records;
    }

    /// <summary>The request's number among its company's.</summary>
    public int Number { get; }

    public ResourceVerb Verb { get; }

    /// <summary>Whether the body breaks off in the middle, so that it must be refused whole.</summary>
    public bool IsCutOff { get; }

    public IReadOnlyList<PlannedRecord> Records { get; }

    /// <summary>Whether the request has an idempotency key, so that it may be sent again.</summary>
    public bool HasKey => Number % 2 == 0;

    public static RequestPlan Of(LoadShape shape, int seed, int company, int number)
    {
        var dice = new Dice(seed, company, number);
        var verb = dice.Next(10) switch { < 4 => ResourceVerb.Upsert, < 8 => ResourceVerb.Update, _ => ResourceVerb.Create };
        var isCutOff = dice.Chance(0.02);
        var records = new PlannedRecord[shape.MinRecords + dice.Next(shape.MaxRecords - shape.MinRecords + 1)];
        for (var i = 0; i < records.Length; i++)
        {
            // What the record before did already: nothing changes.
            if (i > 0 && records[i - 1] is { Id: not null, Notes: not null } before && dice.Chance(0.05))
            {
                records[i] = before;
                continue;
            }

            Guid? id = verb == ResourceVerb.Create && dice.Chance(0.5) ? null : KeyOf(company, dice.Next(Keys));
            records[i] = new(id, dice.Chance(0.03) ? null : NotesOf(number, i));
        }

        return new(number, verb, isCutOff, records);
    }

    /// <summary>The body to send.</summary>
    public byte[] Body()
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartArray();
            foreach (var record in Records)
            {
                json.WriteStartObject();
                // First, so that a stored request can be told from its first record, whatever else is in it.
                if (record.Notes is null)
                    json.WriteNumber("notes"u8, Number);
                else
                    json.WriteString("notes"u8, record.Notes);
                if (record.Id is { } id)
                    json.WriteString("id"u8, id);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return body.WrittenSpan[..(IsCutOff ? body.WrittenCount / 2 : body.WrittenCount)].ToArray();
    }

    /// <summary>Reads a stored record's request number.</summary>
    public static int NumberIn(ReadOnlyMemory<byte> record)
    {
        using var json = JsonDocument.Parse(record);
        var notes = json.RootElement.GetProperty("notes"u8);
        return notes.ValueKind == JsonValueKind.Number
            ? notes.GetInt32()
            : int.Parse(notes.GetString()!.Split('.')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Whether a row's id is one that requests name; the others were made by the engine.</summary>
    public static bool IsKey(int company, Guid id) => Enumerable.Range(0, Keys).Any(key => KeyOf(company, key) == id);

    private static Guid KeyOf(int company, int key) => new(company + 1, 0x1ea5, 0x7ca5, 0x8a, 0, 0, 0, 0, 0, 0, (byte)key);

    private static string NotesOf(int number, int index) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number}.{index}");
}

/// <summary>How much is sent.</summary>
/// <param name="Companies">How many companies send, each with one client that sends one request after another.</param>
/// <param name="MinRecords">The fewest records in a request.</param>
/// <param name="MaxRecords">The most records in a request.</param>
/// <param name="MaxUnfinishedJobs">How many jobs a client lets wait before it sends no more.</param>
/// <param name="MaxPauseMilliseconds">The longest that a client waits between requests.</param>
internal sealed record LoadShape(
    int Companies = 4, int MinRecords = 1, int MaxRecords = 90, int MaxUnfinishedJobs = 8, int MaxPauseMilliseconds = 20)
{
    /// <summary>A company's id.</summary>
    public static Guid CompanyId(int company) => new(company + 1, 0xc0, 0x7000, 0x80, 0, 0, 0, 0, 0, 0, 1);
}
