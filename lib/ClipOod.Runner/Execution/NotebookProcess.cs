using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>Runs one notebook in a process of its own and gathers what it tells.</summary>
internal sealed class NotebookProcess
{
    // A killed process may leave children that hold its streams open; nobody waits for them for longer.
    private static readonly TimeSpan _lastWords = TimeSpan.FromSeconds(2);

    // Time for a cell that is asked to stop; one that does not listen is killed with its process.
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(2);

    private readonly NotebookFile _notebook;
    private readonly RunOptions _options;
    private readonly int _processors;
    private readonly Action<RunProgress> _progress;
    private readonly RunRecorder _recorder;
    private RunState? _stoppedAs;

    private NotebookProcess(NotebookFile notebook, RunOptions options, int processors, Action<RunProgress> progress)
    {
        _notebook = notebook;
        _options = options;
        _processors = processors;
        _progress = progress;
        _recorder = new RunRecorder(notebook);
    }

    /// <summary>Runs a notebook to its end, its first error, a time limit or the cancellation; it never throws for these.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="options">Limits and parameters.</param>
    /// <param name="processors">How many processors the notebook sees.</param>
    /// <param name="progress">Is told of each cell that starts.</param>
    /// <param name="cancellation">Stops the notebook; what it gave so far is kept.</param>
    public static async Task<(NotebookRun Run, IReadOnlyCollection<string> ParametersAsked)> RunAsync(
        NotebookFile notebook, RunOptions options, int processors, Action<RunProgress> progress, CancellationToken cancellation)
    {
        var process = new NotebookProcess(notebook, options, processors, progress);
        return (await process.RunAsync(cancellation), process._recorder.ParametersAsked);
    }

    private async Task<NotebookRun> RunAsync(CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        string pipeName = $"clipood-{Guid.NewGuid():N}";
        using var pipe = new NamedPipeServerStream(pipeName, PipeDirection.In, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        using Process process = Start(_processors);
        using var cellLimit = new CancellationTokenSource();
        using var notebookLimit = new CancellationTokenSource(_options.NotebookTimeout);
        using CancellationTokenRegistration onCell = cellLimit.Token.Register(() => Stop(process, RunState.TimedOut));
        using CancellationTokenRegistration onNotebook = notebookLimit.Token.Register(() => Stop(process, RunState.TimedOut));
        using CancellationTokenRegistration onCancel = cancellation.Register(() => Stop(process, RunState.Cancelled));

        var output = new RawStream(process.StandardOutput, text => _recorder.Write(isError: false, text));
        var error = new RawStream(process.StandardError, text => _recorder.Write(isError: true, text));
        try
        {
            var job = new WorkerJob(_notebook.Path, _notebook.Document.Cells, _options.Parameters, pipeName);
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(job, WorkerJson.Default.WorkerJob));
            await process.StandardInput.FlushAsync(CancellationToken.None);
            if (await ConnectedAsync(pipe, process))
            {
                await ReadEventsAsync(pipe, output, error, cellLimit);
            }
        }
        catch (IOException)
        {
            // The process ended in the middle of a line; how it ended is told below.
        }

        await Task.WhenAny(Task.WhenAll(process.WaitForExitAsync(CancellationToken.None), output.Ended, error.Ended), Task.Delay(_lastWords, CancellationToken.None));
        Kill(process);
        await process.WaitForExitAsync(CancellationToken.None);
        return _recorder.Finish(_stoppedAs, Explain(process.ExitCode), watch.Elapsed);
    }

    private static async Task<bool> ConnectedAsync(NamedPipeServerStream pipe, Process process)
    {
        Task connection = pipe.WaitForConnectionAsync();
        Task ended = process.WaitForExitAsync();
        return await Task.WhenAny(connection, ended) == connection;
    }

    private async Task ReadEventsAsync(Stream pipe, RawStream output, RawStream error, CancellationTokenSource cellLimit)
    {
        using var reader = new StreamReader(pipe, Encoding.UTF8);
        while (await reader.ReadLineAsync() is string line)
        {
            WorkerEvent? message = WorkerProtocol.Deserialize(line);
            if (message is CellStarted started)
            {
                cellLimit.CancelAfter(_options.CellTimeout);
                _progress(new CellProgress(_notebook.Id, started.Number, _notebook.Document.Cells.Count));
            }
            else if (message is CellEnded)
            {
                cellLimit.CancelAfter(Timeout.InfiniteTimeSpan);
                await Task.WhenAll(output.EndOfCellAsync(_lastWords), error.EndOfCellAsync(_lastWords));
            }

            _recorder.Record(message);
        }
    }

    private static Process Start(int processors)
    {
        var info = new ProcessStartInfo(DotnetHost.Path, ["exec", typeof(Worker).Assembly.Location, WorkerCommandName])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };

        // Libraries start a thread per processor. Where notebooks run side by side and each took all processors, their threads would
        // wait for one another, and all notebooks would take much longer.
        info.Environment["DOTNET_PROCESSOR_COUNT"] = processors.ToString(CultureInfo.InvariantCulture);
        return Process.Start(info)!;
    }

    /// <summary>The hidden command that turns the program into a worker.</summary>
    public const string WorkerCommandName = "worker";

    private void Stop(Process process, RunState state)
    {
        _stoppedAs ??= state;
        _ = CancelThenKillAsync(process);
    }

    private static async Task CancelThenKillAsync(Process process)
    {
        try
        {
            await process.StandardInput.WriteLineAsync(WorkerProtocol.Cancel);
            await process.StandardInput.FlushAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(_grace);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or TimeoutException)
        {
            // It has ended by itself, reads nothing, or does not listen.
        }

        Kill(process);
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    private CellError Explain(int exitCode) => _stoppedAs switch
    {
        RunState.TimedOut => new CellError(
            "Timeout",
            $"Stopped: a cell may take {_options.CellTimeout.TotalSeconds:0.#} s (--cell-timeout) and a notebook {_options.NotebookTimeout.TotalSeconds:0.#} s (--timeout).",
            null,
            ""),
        RunState.Cancelled => new CellError("Cancelled", "Stopped by the user.", null, ""),
        _ => new CellError("ProcessEnded", $"The notebook's process ended with exit code {exitCode} while this cell ran.", null, ""),
    };

    /// <summary>One of the process's standard streams, read until it closes; marks the end of each cell.</summary>
    private sealed class RawStream
    {
        private readonly Channel<bool> _endsOfCell = Channel.CreateUnbounded<bool>();

        public RawStream(StreamReader reader, Action<string> write) => Ended = ReadAsync(reader, write);

        public Task Ended { get; }

        /// <summary>Waits until all is read that was written before the end of the cell.</summary>
        public async Task EndOfCellAsync(TimeSpan atMost)
        {
            using var limit = new CancellationTokenSource(atMost);
            try
            {
                await _endsOfCell.Reader.ReadAsync(limit.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
            {
                // The cell has closed the stream, or taken it away; there is nothing to wait for.
            }
        }

        private async Task ReadAsync(StreamReader reader, Action<string> write)
        {
            const string Mark = WorkerProtocol.EndOfCell;
            char[] buffer = new char[4096];
            string pending = "";
            int count;
            while ((count = await reader.ReadAsync(buffer)) > 0)
            {
                pending += new string(buffer, 0, count);
                for (int at; (at = pending.IndexOf(Mark, StringComparison.Ordinal)) >= 0; pending = pending[(at + Mark.Length)..])
                {
                    write(pending[..at]);
                    _endsOfCell.Writer.TryWrite(true);
                }

                // A mark may arrive in two parts.
                int start = pending.LastIndexOf(Mark[0]);
                int keep = start >= 0 && Mark.StartsWith(pending[start..], StringComparison.Ordinal) ? start : pending.Length;
                write(pending[..keep]);
                pending = pending[keep..];
            }

            write(pending);
            _endsOfCell.Writer.Complete();
        }
    }
}
