using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Kernel;

/// <summary>Runs cells in this process, one after the other, as a worker would.</summary>
internal sealed class CellSession : IDisposable
{
    private readonly CSharpKernel _csharp = new();
    private readonly List<WorkerEvent> _events = [];
    private int _number;

    public CellSession() => CellOutputs.Send = _events.Add;

    public string Folder { get; } = Directory.CreateTempSubdirectory("clipood-cell-").FullName;

    public IEnumerable<ValueDisplayed> Displayed => _events.OfType<ValueDisplayed>();

    public string LastText => Displayed.Last().Mime["text/plain"];

    /// <summary>Runs a cell; gives its error, null where it had none.</summary>
    public async Task<CellError?> RunAsync(string source, string kernel = "csharp")
    {
        _events.Clear();
        _number++;
        CellOutputs.StartCell(_number);
        string name = $"cell {_number}";
        try
        {
            await CellRunner.RunAsync(_csharp, new DibCell(kernel, source), name, Path.Combine(Folder, "own.dib"));
            return null;
        }
        catch (Exception e)
        {
            return CellFailure.Of(e, name);
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
