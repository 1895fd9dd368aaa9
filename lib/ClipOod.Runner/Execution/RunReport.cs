using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipOod.Runner.Execution;

/// <summary>The report of a run, for other programs: states, times and results, but no outputs.</summary>
internal static class RunReport
{
    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a report; the file is complete or not there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">The run.</param>
    public static void Write(string path, WorkbookRun run)
    {
        var report = new
        {
            run.Started,
            ElapsedSeconds = run.Elapsed.TotalSeconds,
            run.Passed,
            Notebooks = run.Runs.Select(notebook => new
            {
                notebook.Id,
                notebook.Title,
                notebook.State,
                ElapsedSeconds = notebook.Elapsed.TotalSeconds,
                Cells = notebook.Cells.Select(cell => new
                {
                    cell.Number,
                    cell.Kernel,
                    cell.State,
                    ElapsedSeconds = cell.Elapsed.TotalSeconds,
                    cell.Error,
                }),
                Results = notebook.Results.Select(result => new { result.Key, result.State, result.Declared, result.Recorded }),
            }),
        };
        AtomicFile.Write(path, JsonSerializer.Serialize(report, _format) + "\n");
    }
}
