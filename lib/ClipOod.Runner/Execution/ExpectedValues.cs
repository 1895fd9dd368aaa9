using System.Text.Json;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>
/// The recorded results of a notebook: one JSON file per notebook, an array of numbers, metrics and verdicts
/// (<see cref="DeclaredResult"/>), sorted by key.
/// </summary>
internal static class ExpectedValues
{
    private static readonly JsonSerializerOptions _format = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

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
        SortedDictionary<string, DeclaredResult> recorded = Load(path);
        IEnumerable<ResultCheck> declared = run.Results.Select(result => recorded.TryGetValue(result.Key, out DeclaredResult? entry)
            ? result with { Recorded = entry, State = result.Declared!.Matches(entry) ? CheckState.Matches : CheckState.Differs }
            : result with { Recorded = null, State = CheckState.New });
        IEnumerable<ResultCheck> missing = run.State == RunState.Passed
            ? recorded.Values
                .Where(entry => run.Results.All(result => result.Key != entry.Key))
                .Select(entry => new ResultCheck(null, entry, CheckState.Missing))
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
        SortedDictionary<string, DeclaredResult> recorded = Load(path);
        List<DeclaredResult> entries =
        [
            .. run.Results
                .Where(result => result.Declared is not null)
                .Select(result => result.State == CheckState.Matches
                    ? recorded[result.Key] with { Tolerance = result.Declared!.Tolerance }
                    : result.Declared!)
                .OrderBy(entry => entry.Key, StringComparer.Ordinal),
        ];
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

    /// <summary>Reads a file of recorded results.</summary>
    /// <param name="path">The file; a missing one holds no results.</param>
    /// <returns>The results by key.</returns>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public static SortedDictionary<string, DeclaredResult> Load(string path)
    {
        var entries = new SortedDictionary<string, DeclaredResult>(StringComparer.Ordinal);
        if (!File.Exists(path))
        {
            return entries;
        }

        try
        {
            foreach (DeclaredResult? entry in JsonSerializer.Deserialize<DeclaredResult?[]>(File.ReadAllText(path), _format) ?? [])
            {
                entries.Add(entry?.Key ?? throw new JsonException("A result is null."), entry);
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{path}: not a file of recorded results: {e.Message} Expected an array of {{\"name\", \"value\", \"tolerance\"}}, or of metrics and verdicts, each once; mend it, or delete it and run with --record.", e);
        }

        return entries;
    }
}
