using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests;

/// <summary>Runs notebooks in this process, each on a kernel of its own: a process would take seconds of processor time to start.</summary>
internal static class InProcess
{
    // What a library asks of its host goes through the whole process.
    private static readonly SemaphoreSlim _one = new(1, 1);

    public static async Task<(NotebookRun Run, IReadOnlyCollection<string> ParametersAsked)> RunAsync(
        NotebookFile notebook, RunOptions options, int processors, Action<RunProgress> progress, CancellationToken cancellation)
    {
        RunRecorder recorder = new(notebook);
        await _one.WaitAsync(cancellation);
        try
        {
            await Worker.RunCellsAsync(
                new WorkerJob(notebook.Path, notebook.Document.Cells, options.Parameters, ""), recorder.Record, () => { }, cancellation);
        }
        finally
        {
            _one.Release();
        }

        return (recorder.Finish(null, new CellError("Unended", "The cell did not end.", null, ""), TimeSpan.Zero), recorder.ParametersAsked);
    }
}
