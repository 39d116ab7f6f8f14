using System.Text;
using System.Text.Json;
using ApiJobs.Records;

namespace ApiJobs.Resources;

/// <summary>Reads a record of a declared resource and checks everything that can be checked without the store.</summary>
/// <remarks>Every fault of a record is reported, up to <see cref="JobRecord.MaxErrors"/>, so that a caller mends them in one go.</remarks>
internal sealed class RecordParser(Resource resource)
{
    public RecordChange Parse(JobRecord record)
    {
        var change = new RecordChange(resource.Fields.Count);
        var reader = new Utf8JsonReader(record.Json.Span, new JsonReaderOptions { MaxDepth = 256 });
        reader.Read();
        var (idSeen, namesTold) = (false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TryGetString(ref reader, out var name))
            {
                record.Fail(RecordErrorCodes.InvalidCharacter, "A field's name holds half a surrogate pair.");
                reader.Read();
                reader.Skip();
                continue;
            }

            reader.Read();
            if (name == ResourceNames.Id)
            {
                if (idSeen)
                    record.Fail(RecordErrorCodes.DuplicateField, "The record names 'id' twice.", ResourceNames.IdPointer);
                idSeen = true;
                ReadId(ref reader, record, change);
            }
            else if (resource.IndexOf(name) is >= 0 and var index)
            {
                if (change.Has(index))
                    record.Fail(RecordErrorCodes.DuplicateField, $"The record names '{name}' twice.", resource.Fields[index].Pointer);
                change.Present |= 1UL << index;
                change.Values[index] = ReadValue(ref reader, record, resource.Fields[index]);
            }
            else
            {
                // The rest is read on for the key and for the fields that rows are found by.
                if (!record.HasAllErrors)
                    RefuseName(record, name, ref namesTold);
                reader.Skip();
            }
        }

        return change;
    }

    private void RefuseName(JobRecord record, string name, ref bool namesTold)
    {
        if (ResourceNames.IsReserved(name))
        {
            record.Fail(RecordErrorCodes.ProtectedField, $"The field '{name}' is set by the system; leave it out.", JsonPointer.To(name));
            return;
        }

        var hint = "";
        if (NearestName.Of(name, resource.RecordMembers) is { } nearest)
            hint = $"; the nearest is '{nearest}'";
        else if (!namesTold)
            (hint, namesTold) = ($"; the fields are {string.Join(", ", resource.RecordMembers)}", true);
        record.Fail(RecordErrorCodes.UnknownField, $"There is no field '{Shown(name)}'{hint}.", JsonPointer.To(name));
    }

    private static void ReadId(ref Utf8JsonReader reader, JobRecord record, RecordChange change)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.String)
        {
            record.Fail(RecordErrorCodes.WrongType, $"The id must be a UUID in a string; it is {NameOf(reader.TokenType)}.", ResourceNames.IdPointer);
            reader.Skip();
            return;
        }

        if (!TryGetString(ref reader, out var text) || text.Contains('\0', StringComparison.Ordinal))
        {
            record.Fail(RecordErrorCodes.InvalidCharacter, "The id holds U+0000 or half a surrogate pair.", ResourceNames.IdPointer);
            return;
        }

        record.Key = text;
        if (UuidText.TryRead(text, out var id))
            change.SentId = id;
        else
            record.Fail(RecordErrorCodes.InvalidFormat, $"'{Shown(text)}' is not a UUID like 4528a261-917d-4cbc-939e-7ea48cffca69.", ResourceNames.IdPointer);
    }

    private static string? ReadValue(ref Utf8JsonReader reader, JobRecord record, Field field)
    {
        var pointer = field.Pointer;
        if (reader.TokenType == JsonTokenType.Null)
        {
            if (field.IsRequired)
                record.Fail(RecordErrorCodes.RequiredField, $"The field '{field.Name}' is required; it cannot be cleared.", pointer);
            return null;
        }

        if (field.Type == FieldType.Map)
            return ReadMap(ref reader, record, field, pointer);

        string? text = null;
        if (reader.TokenType == JsonTokenType.String)
        {
            if (!TryGetCleanString(ref reader, record, field.Name, pointer, out text))
                return null;
        }
        else if (field.Type == FieldType.Integer && reader.TokenType == JsonTokenType.Number)
            text = reader.HasValueSequence ? null : Encoding.UTF8.GetString(reader.ValueSpan);
        else if (field.Type == FieldType.Boolean && reader.TokenType is JsonTokenType.True or JsonTokenType.False)
            return reader.TokenType == JsonTokenType.True ? "true" : "false";

        if (text is null)
        {
            record.Fail(
                RecordErrorCodes.WrongType, $"The field '{field.Name}' must be {Expected(field)}; it is {NameOf(reader.TokenType)}.", pointer);
            reader.Skip();
            return null;
        }

        return Canonical(text, record, field, pointer);
    }

    // Numbers and booleans are read from text too: a CSV cell has no other form.
    private static string? Canonical(string text, JobRecord record, Field field, string pointer)
    {
        if (!CanonicalText.TryRead(field.Type, text, out var canonical))
        {
            if (field.Type == FieldType.Integer && text.Length > 1 && text.TrimStart('-').All(char.IsAsciiDigit))
                record.Fail(RecordErrorCodes.OutOfRange, $"The field '{field.Name}' must be from {long.MinValue} to {long.MaxValue}.", pointer);
            else
                record.Fail(RecordErrorCodes.InvalidFormat, $"The field '{field.Name}' must be {Expected(field)}; '{Shown(text)}' is not.", pointer);
        }
        else if (field.Type == FieldType.Text && IsLongerThan(canonical, field.MaxLength))
            record.Fail(RecordErrorCodes.TooLong, $"The field '{field.Name}' is longer than {field.MaxLength:N0} characters.", pointer);

        return canonical;
    }

    private static string? ReadMap(ref Utf8JsonReader reader, JobRecord record, Field field, string pointer)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            record.Fail(
                RecordErrorCodes.WrongType, $"The field '{field.Name}' must be {Expected(field)}; it is {NameOf(reader.TokenType)}.", pointer);
            reader.Skip();
            return null;
        }

        var members = new SortedList<string, string?>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (members.Count == FieldMap.MaxPatchMembers(field) || record.HasAllErrors)
            {
                if (members.Count == FieldMap.MaxPatchMembers(field))
                    record.Fail(RecordErrorCodes.TooManyMembers, $"'{field.Name}' may have {field.MaxMembers:N0} members at the most.", pointer);
                SkipRestOfObject(ref reader);
                return null;
            }

            var nameIsClean = TryGetCleanString(ref reader, record, $"{field.Name} (a member's name)", pointer, out var name);
            reader.Read();
            var memberPointer = name is null ? pointer : JsonPointer.To(field.Name, name);
            string? value = null;
            if (reader.TokenType == JsonTokenType.String)
            {
                if (TryGetCleanString(ref reader, record, field.Name, memberPointer, out value) && IsLongerThan(value, field.MaxLength))
                    record.Fail(
                        RecordErrorCodes.TooLong, $"A value in '{field.Name}' is longer than {field.MaxLength:N0} characters.", memberPointer);
            }
            else if (reader.TokenType != JsonTokenType.Null)
            {
                record.Fail(
                    RecordErrorCodes.WrongType, $"A value in '{field.Name}' must be a string; it is {NameOf(reader.TokenType)}.", memberPointer);
                reader.Skip();
            }

            if (nameIsClean && IsLongerThan(name!, FieldMap.MaxNameLength))
                record.Fail(RecordErrorCodes.TooLong, $"A name in '{field.Name}' is longer than {FieldMap.MaxNameLength} characters.", pointer);
            else if (nameIsClean && !members.TryAdd(name!, value))
                record.Fail(RecordErrorCodes.DuplicateField, $"'{field.Name}' names '{Shown(name!)}' twice.", memberPointer);
        }

        return FieldMap.Write(members);
    }

    private static void SkipRestOfObject(ref Utf8JsonReader reader)
    {
        do
            reader.Skip();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName);
    }

    private static bool TryGetCleanString(
        ref Utf8JsonReader reader, JobRecord record, string name, string pointer, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? text)
    {
        if (TryGetString(ref reader, out text) && !text.Contains('\0', StringComparison.Ordinal))
            return true;
        record.Fail(RecordErrorCodes.InvalidCharacter, $"The field '{name}' holds U+0000 or half a surrogate pair.", pointer);
        text = null;
        return false;
    }

    private static bool TryGetString(
        ref Utf8JsonReader reader, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        // The reader's answer to an escaped surrogate without its other half.
        catch (InvalidOperationException)
        {
            text = null;
            return false;
        }
    }

    private static bool IsLongerThan(string text, int maxLength) =>
        text.Length > maxLength && text.EnumerateRunes().Count() > maxLength;

    // Values of callers stand in messages shortened.
    private static string Shown(string text) => ShowableText.Of(text, 60);

    private static string Expected(Field field) => field.Type switch
    {
        FieldType.Text => "a string",
        FieldType.Uuid => "a UUID in a string",
        FieldType.Date => "a date like 2024-02-21",
        FieldType.Integer => "a whole number",
        FieldType.Boolean => "true or false",
        FieldType.Map => "an object whose values are strings",
        _ => throw new InvalidOperationException($"Unknown field type {field.Type}."),
    };

    private static string NameOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        _ => "null",
    };
}
