namespace ApiJobs.Records;

/// <summary>Finds the name that was probably meant.</summary>
internal static class NearestName
{
    private const int MaxLength = 60;

    /// <summary>The name that takes the fewest changes of a letter to reach: case, <c>_</c>, <c>-</c> and spaces are none.</summary>
    /// <returns>Null if each takes more than a third of its letters.</returns>
    public static string? Of(string name, IEnumerable<string> names)
    {
        if (name.Length > MaxLength)
            return null;
        var letters = LettersOf(name);
        string? nearest = null;
        var fewest = int.MaxValue;
        foreach (var candidate in names)
        {
            var candidateLetters = LettersOf(candidate);
            var most = Math.Min(fewest - 1, candidateLetters.Length / 3);
            if (Math.Abs(letters.Length - candidateLetters.Length) > most)
                continue;
            var changes = Changes(letters, candidateLetters);
            if (changes > most)
                continue;
            (nearest, fewest) = (candidate, changes);
        }

        return nearest;
    }

    private static string LettersOf(string name) =>
        string.Concat(name.Where(letter => letter is not ('_' or '-' or ' ')).Select(char.ToLowerInvariant));

    /// <summary>Letters left out, added, replaced or swapped with their neighbour (optimal string alignment).</summary>
    private static int Changes(string from, string to)
    {
        var changes = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
            changes[i, 0] = i;
        for (var j = 0; j <= to.Length; j++)
            changes[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = changes[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                changes[i, j] = Math.Min(replaced, 1 + Math.Min(changes[i - 1, j], changes[i, j - 1]));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    changes[i, j] = Math.Min(changes[i, j], 1 + changes[i - 2, j - 2]);
            }
        }

        return changes[from.Length, to.Length];
    }
}
