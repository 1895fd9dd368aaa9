namespace ClipOod.Runner.Kernel;

/// <summary>Where what cells show goes, and which cell is running.</summary>
/// <param name="send">Receives the events.</param>
internal sealed class CellOutputs(Action<WorkerEvent> send)
{
    private int _count;

    /// <summary>The number of the running cell, 1-based.</summary>
    public int Cell { get; private set; } = 1;

    public void Send(WorkerEvent message) => send(message);

    public void StartCell(int number)
    {
        Cell = number;
        _count = 0;
    }

    // Numbered, so that two runs give the same page.
    public string NextDisplayId() => $"cell-{Cell}-output-{Interlocked.Increment(ref _count)}";
}
