using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ClipOod.Runner.Documents;

namespace ClipOod.Runner.Kernel;

/// <summary>The process that runs the cells of one notebook. It tells its parent everything over a named pipe.</summary>
internal static class Worker
{
    private const int Failed = 1;

    /// <summary>Runs the job that standard input describes.</summary>
    /// <returns>0 when all cells ran, 1 when one failed or was cancelled.</returns>
    public static async Task<int> RunAsync()
    {
        // The parent decides what Ctrl-C means; a terminal sends it to every process.
        Console.CancelKeyPress += (_, e) => e.Cancel = true;
        TextReader input = Console.In;
        WorkerJob job = JsonSerializer.Deserialize(await input.ReadLineAsync() ?? "", WorkerJson.Default.WorkerJob)!;
        using var cancellation = new CancellationTokenSource();
        ObeyParent(input, cancellation);
        Console.SetIn(TextReader.Null);

        using var pipe = new NamedPipeClientStream(".", job.PipeName, PipeDirection.Out);
        await pipe.ConnectAsync();
        var sending = new Lock();
        void Send(WorkerEvent message)
        {
            byte[] line = Encoding.UTF8.GetBytes(WorkerProtocol.Serialize(message) + "\n");
            lock (sending)
            {
                pipe.Write(line);
            }
        }

        Console.SetOut(new EventWriter(text => Send(new TextWritten(false, text))));
        Console.SetError(new EventWriter(text => Send(new TextWritten(true, text))));
        Environment.CurrentDirectory = Path.GetDirectoryName(job.NotebookPath)!;
        return await RunCellsAsync(job, Send, FlushNativeOutput, cancellation.Token);
    }

    /// <summary>Runs the cells of a job in this process, one job at a time.</summary>
    /// <param name="job">The job.</param>
    /// <param name="send">Is told what happens.</param>
    /// <param name="flush">Is called when a cell has ended, before that is told.</param>
    /// <param name="cancellation">Stops the cell that runs.</param>
    /// <returns>0 when all cells ran, 1 when one failed or was cancelled.</returns>
    internal static async Task<int> RunCellsAsync(WorkerJob job, Action<WorkerEvent> send, Action flush, CancellationToken cancellation)
    {
        var outputs = new CellOutputs(send);
        OfferToLibraries(job, outputs);
        using var engine = new InteractiveEngine(outputs);
        await engine.StartAsync();
        var runner = new CellRunner(engine, outputs);
        int number = 0;
        foreach (DibCell cell in job.Cells)
        {
            number++;
            outputs.StartCell(number);
            send(new CellStarted(number));
            var watch = Stopwatch.StartNew();
            CellError? error = await RunCellAsync(runner, cell, $"cell {number}", job.NotebookPath, cancellation);
            flush();
            if (cancellation.IsCancellationRequested)
            {
                // The parent knows why. What the cell left running ends with the process.
                return Failed;
            }

            send(new CellEnded(watch.Elapsed.TotalSeconds, error));
            if (error is not null)
            {
                return Failed;
            }
        }

        return 0;
    }

    private static async Task<CellError?> RunCellAsync(CellRunner runner, DibCell cell, string name, string path, CancellationToken cancellation)
    {
        try
        {
            await runner.RunAsync(cell, name, path, cancellation);
            return null;
        }
        catch (Exception e)
        {
            return CellFailure.Of(e, name);
        }
    }

    // What a library may ask of its host, by name and with types of the framework only, so that neither needs the other.
    private static void OfferToLibraries(WorkerJob job, CellOutputs outputs)
    {
        var declared = new Dictionary<string, (DeclaredResult Result, int Cell)>(StringComparer.Ordinal);
        AppDomain.CurrentDomain.SetData("workbook.result", (Action<string>)(json =>
        {
            DeclaredResult result = DeclaredResult.Parse(json);
            if (declared.TryAdd(result.Key, (result, outputs.Cell)))
            {
                outputs.Send(new ResultDeclared(result));
            }
            else if (declared[result.Key].Result != result)
            {
                throw new InvalidOperationException(
                    $"The result '{result.Key}' is declared with two values, in cells {declared[result.Key].Cell} and {outputs.Cell}. Give each result its own name.");
            }
        }));
        AppDomain.CurrentDomain.SetData("workbook.parameter.declared", (Action<string>)(json => outputs.Send(new ParameterDeclared(DeclaredParameter.Parse(json)))));
        AppDomain.CurrentDomain.SetData("workbook.parameter", (Func<string, string?>)(name =>
        {
            outputs.Send(new ParameterAsked(name));
            return job.Parameters.GetValueOrDefault(name);
        }));
        AppDomain.CurrentDomain.SetData("workbook.plotly", "page");
    }

    // Standard input stays open for as long as the parent lives, however it ends.
    private static void ObeyParent(TextReader input, CancellationTokenSource cancellation)
    {
        var thread = new Thread(() =>
        {
            while (input.ReadLine() is string line)
            {
                if (line == WorkerProtocol.Cancel)
                {
                    cancellation.Cancel();
                }
            }

            Environment.Exit(Failed);
        })
        { IsBackground = true };
        thread.Start();
    }

    private static void FlushNativeOutput()
    {
        _ = FlushAll(IntPtr.Zero);
        byte[] end = Encoding.UTF8.GetBytes(WorkerProtocol.EndOfCell);
        using Stream output = Console.OpenStandardOutput();
        output.Write(end);
        using Stream error = Console.OpenStandardError();
        error.Write(end);
    }

    private static int FlushAll(IntPtr everyStream) =>
        OperatingSystem.IsWindows() ? FlushWindows(everyStream) : FlushUnix(everyStream);

    [DllImport("libc", EntryPoint = "fflush")]
    private static extern int FlushUnix(IntPtr stream);

    [DllImport("ucrtbase", EntryPoint = "fflush")]
    private static extern int FlushWindows(IntPtr stream);

    private sealed class EventWriter(Action<string> send) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

        public override void Write(string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                send(value);
            }
        }

        public override void WriteLine() => Write(CoreNewLine);

        public override void WriteLine(string? value) => Write(value + NewLine);
    }
}
