using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Kernel;

/// <summary>Runs cells in this process, one after the other, as a worker would.</summary>
public sealed class CellSession : IAsyncLifetime
{
    private readonly List<WorkerEvent> _events = [];
    private readonly CellOutputs _outputs;
    private readonly InteractiveEngine _engine;
    private readonly CellRunner _runner;

    public CellSession()
    {
        _outputs = new CellOutputs(_events.Add);
        _engine = new InteractiveEngine(_outputs);
        _runner = new CellRunner(_engine, _outputs);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("clipood-cell-").FullName;

    /// <summary>Number of the cell that ran last.</summary>
    public int Number { get; private set; }

    internal IEnumerable<ValueDisplayed> Displayed => _events.OfType<ValueDisplayed>();

    internal string LastText => Displayed.Last().Mime["text/plain"];

    public async ValueTask InitializeAsync() => await _engine.StartAsync();

    public ValueTask DisposeAsync()
    {
        _engine.Dispose();
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a cell; gives its error, null where it had none.</summary>
    internal async Task<CellError?> RunAsync(string source, string kernel = "csharp")
    {
        _events.Clear();
        Number++;
        _outputs.StartCell(Number);
        string name = $"cell {Number}";
        try
        {
            await _runner.RunAsync(new DibCell(kernel, source), name, Path.Combine(Folder, "own.dib"), TestContext.Current.CancellationToken);
            return null;
        }
        catch (Exception e)
        {
            return CellFailure.Of(e, name);
        }
    }
}
