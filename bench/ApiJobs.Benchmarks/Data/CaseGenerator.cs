using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Benchmarks.Data;

/// <summary>Makes cases and customers of a will-writing firm, each from the seed and its own number alone: any of them at any time, none kept.</summary>
internal sealed class CaseGenerator(int seed)
{
    private const int NotesPurpose = 1, CustomerPurpose = 2, IdPurpose = 3;

    // 2024-01-01T00:00:00Z; ids are made a millisecond apart from then on.
    private const long FirstIdMilliseconds = 1_704_067_200_000;

    /// <summary>A case's id, a UUID v7: cases made later have larger ids, as those that the engine makes.</summary>
    public Guid CaseId(long record) => Id(FirstIdMilliseconds + record, record, IdPurpose);

    /// <summary>A company's id.</summary>
    public Guid CompanyId(int company) => Id(FirstIdMilliseconds - 1_000_000 + company, company, IdPurpose);

    /// <summary>What a case's notes are after so many updates; another text for every version.</summary>
    public string Notes(long record, int version, int length = 0)
    {
        var dice = new Dice(seed, record, NotesPurpose + (version << 3));
        var text = new StringBuilder(Math.Max(length, 160));
        do
        {
            text.Append(dice.Of(Words.Notes)).Append(' ');
        }
        while (text.Length < length || (length == 0 && dice.Chance(0.3)));
        return text.Append(CultureInfo.InvariantCulture, $"(rev. {version})").ToString();
    }

    /// <summary>Writes a whole case, as a create has it.</summary>
    public void WriteCase(Utf8JsonWriter writer, long record, int notesLength = 0)
    {
        var dice = new Dice(seed, record);
        var (first, last) = (dice.Of(Words.FirstNames), dice.Of(Words.LastNames));
        writer.WriteStartObject();
        writer.WriteString("id", CaseId(record));
        writer.WriteString("ref", $"W{record:0000000}");
        writer.WriteStartObject("meta");
        writer.WriteString("branch", dice.Of(Words.Towns).Town);
        writer.WriteString("source", dice.Chance(0.5) ? "referral" : "website");
        writer.WriteEndObject();
        writer.WriteString("email", Email(first, record));
        writer.WriteString("notes", Notes(record, version: 0, notesLength));
        writer.WriteString("postcode", Postcode(ref dice).Postcode);
        writer.WriteString("full_names", $"{first} {last}");
        writer.WriteString("last_names", last);
        writer.WriteString("first_names", first);
        writer.WriteEndObject();
    }

    /// <summary>Writes a whole customer of the case with the same number.</summary>
    public void WriteCustomer(Utf8JsonWriter writer, long record)
    {
        var dice = new Dice(seed, record, CustomerPurpose);
        var (first, last) = (dice.Of(Words.FirstNames), dice.Of(Words.LastNames));
        var (town, postcode) = Postcode(ref dice);
        writer.WriteStartObject();
        writer.WriteString("id", Id(FirstIdMilliseconds + record, record, CustomerPurpose));
        writer.WriteString("customer_case_id", CaseId(record));
        writer.WriteString("title", dice.Of(Words.Titles));
        writer.WriteString("first_names", first);
        if (dice.Chance(0.4))
            writer.WriteString("middle_names", dice.Of(Words.FirstNames));
        writer.WriteString("last_name", last);
        writer.WriteString("gender", dice.Of(Words.Genders));
        writer.WriteString("date_of_birth", new DateOnly(1930, 1, 1).AddDays(dice.Below(28_000)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        writer.WriteString("marital_status", dice.Of(Words.MaritalStatuses));
        writer.WriteString("occupation", dice.Of(Words.Occupations));
        writer.WriteString("email", Email(first, record));
        writer.WriteString("tel_1", $"07700 900{dice.Below(1_000):000}");
        if (dice.Chance(0.5))
            writer.WriteString("tel_2", $"020 7946 0{dice.Below(1_000):000}");
        writer.WriteString("address_1", dice.Chance(0.2) ? dice.Of(Words.Houses) : $"{1 + dice.Below(220)} {dice.Of(Words.Streets)}");
        if (dice.Chance(0.3))
            writer.WriteString("address_2", dice.Of(Words.Streets));
        writer.WriteString("address_3", town);
        writer.WriteString("postcode", postcode);
        writer.WriteEndObject();
    }

    /// <summary>Writes an update that changes one case's notes.</summary>
    public void WriteUpdate(Utf8JsonWriter writer, long record, int version, int notesLength = 0) =>
        WriteUpdate(writer, CaseId(record), Notes(record, version, notesLength));

    /// <summary>
    /// Writes an update as imports really are: mostly good, and in the chosen shares of an unknown case, of what is there
    /// already, of the case before once more, or wrong in one of several ways.
    /// </summary>
    public void WriteUpdate(Utf8JsonWriter writer, long record, int version, Mix mix)
    {
        var dice = new Dice(seed, record, NotesPurpose + ((version + 1) << 9));
        if (dice.Chance(mix.Unknown))
            WriteUpdate(writer, Id(FirstIdMilliseconds - 1 - record, record, IdPurpose), Notes(record, version));
        else if (dice.Chance(mix.Unchanged))
            WriteUpdate(writer, CaseId(record), Notes(record, version - 1));
        else if (dice.Chance(mix.Duplicate))
            WriteUpdate(writer, CaseId(Math.Max(0, record - 1)), Notes(record, version));
        else if (dice.Chance(mix.Bad))
            WriteBad(writer, record, ref dice);
        else
            WriteUpdate(writer, record, version);
    }

    private static void WriteUpdate(Utf8JsonWriter writer, Guid id, string notes)
    {
        writer.WriteStartObject();
        writer.WriteString("id", id);
        writer.WriteString("notes", notes);
        writer.WriteEndObject();
    }

    // Everything here can be read, so the request is accepted, and the record becomes an error of its job.
    private void WriteBad(Utf8JsonWriter writer, long record, ref Dice dice)
    {
        writer.WriteStartObject();
        switch (dice.Below(5))
        {
            case 0:
                writer.WriteString("notes", "An update that does not say of which case.");
                break;
            case 1:
                writer.WriteString("id", "W-17");
                break;
            case 2:
                writer.WriteString("id", CaseId(record));
                writer.WriteString("colour", "red");
                break;
            case 3:
                writer.WriteString("id", CaseId(record));
                writer.WriteString("postcode", new string('X', 40));
                break;
            default:
                writer.WriteString("id", CaseId(record));
                writer.WriteNumber("notes", record);
                break;
        }

        writer.WriteEndObject();
    }

    private static string Email(string firstName, long record)
    {
        var ascii = string.Concat(firstName.Where(char.IsAsciiLetter));
        return string.Create(CultureInfo.InvariantCulture, $"{ascii}.{record}@example.com").ToLowerInvariant();
    }

    private static (string Town, string Postcode) Postcode(ref Dice dice)
    {
        var (town, area, districts) = dice.Of(Words.Towns);
        char Letter(ref Dice dice) => Words.InwardLetters[dice.Below(Words.InwardLetters.Length)];
        return (town, $"{area}{1 + dice.Below(districts)} {1 + dice.Below(9)}{Letter(ref dice)}{Letter(ref dice)}");
    }

    private Guid Id(long milliseconds, long record, int purpose)
    {
        var dice = new Dice(seed, record, purpose);
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ((ulong)milliseconds << 16) | 0x7000 | (dice.Next() & 0x0FFF));
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], 0x8000_0000_0000_0000 | (dice.Next() >> 2));
        return new(bytes, bigEndian: true);
    }
}

/// <summary>The shares, from 0 to 1, of records that are not simply good.</summary>
/// <param name="Unknown">Updates of a case that does not exist.</param>
/// <param name="Unchanged">Updates to what the case already holds.</param>
/// <param name="Duplicate">Second updates of the case before.</param>
/// <param name="Bad">Records that are wrong in themselves.</param>
internal readonly record struct Mix(double Unknown, double Unchanged, double Duplicate, double Bad)
{
    /// <summary>What an import from another system looks like.</summary>
    public static readonly Mix Realistic = new(Unknown: 0.01, Unchanged: 0.05, Duplicate: 0.01, Bad: 0.01);
}
