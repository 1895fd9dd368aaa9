using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipOod.Runner.Execution;

/// <summary>
/// The recorded results of a notebook: one JSON file per notebook, an array of name, value and tolerance sorted by name.
/// </summary>
internal static class ExpectedValues
{
    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed record Entry(string Name, double Value, double Tolerance);

    /// <summary>The file that holds the results of a notebook.</summary>
    /// <param name="folder">Folder of the recorded results.</param>
    /// <param name="notebook">The notebook.</param>
    public static string PathOf(string folder, NotebookFile notebook)
    {
        return Path.Combine(folder, notebook.Number + ".json");
    }

    /// <summary>Checks, before anything is run, that a file of recorded results can be read.</summary>
    /// <param name="path">The file; a missing one holds no results.</param>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public static void RequireReadable(string path) => Load(path);

    /// <summary>Compares the results that a notebook declared with the recorded ones.</summary>
    /// <param name="run">The run; its results hold what was declared.</param>
    /// <param name="path">The file of recorded results; a missing file holds none.</param>
    /// <returns>The run with a verdict for each result; missing results come last, and only if the notebook ran to its end.</returns>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public static NotebookRun Check(NotebookRun run, string path)
    {
        SortedDictionary<string, Entry> recorded = Load(path);
        IEnumerable<ResultCheck> declared = run.Results.Select(result => recorded.TryGetValue(result.Name, out Entry? entry)
            ? result with { Expected = entry.Value, State = Matches(result, entry) ? CheckState.Matches : CheckState.Differs }
            : result with { Expected = null, State = CheckState.New });
        IEnumerable<ResultCheck> missing = run.State == RunState.Passed
            ? recorded.Values
                .Where(entry => run.Results.All(result => result.Name != entry.Name))
                .Select(entry => new ResultCheck(entry.Name, null, entry.Value, entry.Tolerance, CheckState.Missing))
            : [];
        return run with { Results = [.. declared, .. missing] };
    }

    /// <summary>
    /// Records the results that a notebook declared. A recorded value that still matches stays as it is, and a file of
    /// which nothing changed is not touched.
    /// </summary>
    /// <param name="run">A checked run that ran to its end.</param>
    /// <param name="path">The file to write; its folder is made.</param>
    /// <returns>Whether anything changed.</returns>
    public static bool Record(NotebookRun run, string path)
    {
        SortedDictionary<string, Entry> recorded = Load(path);
        var entries = run.Results
            .Where(result => result.Value is not null)
            .Select(result => new Entry(
                result.Name,
                result.State == CheckState.Matches ? recorded[result.Name].Value : result.Value!.Value,
                result.Tolerance))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .ToList();
        if (entries.SequenceEqual(recorded.Values))
        {
            return false;
        }

        if (entries.Count == 0)
        {
            File.Delete(path);
        }
        else
        {
            AtomicFile.Write(path, JsonSerializer.Serialize(entries, _format) + "\n");
        }

        return true;
    }

    private static SortedDictionary<string, Entry> Load(string path)
    {
        var entries = new SortedDictionary<string, Entry>(StringComparer.Ordinal);
        if (!File.Exists(path))
        {
            return entries;
        }

        try
        {
            foreach (Entry? entry in JsonSerializer.Deserialize<Entry?[]>(File.ReadAllText(path), _format) ?? [])
            {
                entries.Add(entry?.Name ?? throw new JsonException("A result is null or has no name."), entry);
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{path}: not a file of recorded results: {e.Message} Expected an array of {{\"name\", \"value\", \"tolerance\"}}, each name once; mend it, or delete it and run with --record.", e);
        }

        return entries;
    }

    // Written so that NaN matches NaN and an infinity itself, of which no difference can be taken.
    private static bool Matches(ResultCheck result, Entry recorded) =>
        result.Value is double value
        && (value.Equals(recorded.Value) || Math.Abs(value - recorded.Value) <= result.Tolerance);
}
