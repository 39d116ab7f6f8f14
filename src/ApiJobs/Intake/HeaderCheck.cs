using ApiJobs.Records;

namespace ApiJobs.Intake;

/// <summary>Refuses a body whose header shows already that its records cannot be right, instead of every one of them later.</summary>
internal static class HeaderCheck
{
    private const int MaxNamed = 3;

    /// <summary>Checks the header, where the format has one, against what the operation says of its records.</summary>
    /// <exception cref="RequestFaultException">A column is missing, or is none.</exception>
    public static void Check(BulkRequest request, RecordReader records)
    {
        if (records.Header is not { } header)
            return;
        if (request.Operation.KeyMember(request.Options) is { } key && !header.Contains(key))
            throw Wrong(records, $"The header has no column '{key}', which this request finds its rows by. Add it.");
        if (request.Operation.KnownMembers is { } known && header.Where(name => !known.Contains(name)).ToList() is { Count: > 0 } unknown)
        {
            var named = string.Join(", ", unknown.Take(MaxNamed).Select(name => Named(name, known)));
            var more = unknown.Count > MaxNamed ? $" and {unknown.Count - MaxNamed} more" : "";
            throw Wrong(records,
                $"The header has columns that are no fields: {named}{more}. The fields are {string.Join(", ", known)}. Name every column after one of them, or leave it out.");
        }
    }

    private static string Named(string name, IReadOnlyCollection<string> known) =>
        NearestName.Of(name, known) is { } nearest ? $"'{ShowableText.Of(name, 60)}' (the nearest is '{nearest}')" : $"'{ShowableText.Of(name, 60)}'";

    private static RequestFaultException Wrong(RecordReader records, string detail) =>
        new(new(RequestFaultCodes.WrongShape, detail) { Line = records.HeaderLine });
}
