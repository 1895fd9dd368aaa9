using System.Diagnostics;
using System.Globalization;
using ClipOod.Notebook;

namespace ClipOod.Benchmarks;

/// <summary>What a 1-NN search takes beside its data and its result, measured in a process of its own.</summary>
internal static class SearchMemory
{
    /// <summary>MiB by which the peak working set of this process rises during the first search.</summary>
    public static double Measure(int queries)
    {
        NearestNeighbors neighbors = NearestNeighbors.Fit(Workloads.UnitRows(Workloads.TrainRows, 1));
        Embeddings rows = Workloads.UnitRows(queries, 2);
        GC.Collect();
        using Process process = Process.GetCurrentProcess();

        // The peak so far may lie above what is in use now, so the search is watched while it runs.
        long before = process.WorkingSet64, peak = before;
        using CancellationTokenSource done = new();
        Thread watch = new(() =>
        {
            while (!done.IsCancellationRequested)
            {
                peak = Math.Max(peak, Environment.WorkingSet);
                Thread.Sleep(1);
            }
        });
        watch.Start();
        GC.KeepAlive(neighbors.Cosine(rows));
        done.Cancel();
        watch.Join();
        return (peak - before) / (1024.0 * 1024);
    }

    /// <summary>Runs <see cref="Measure"/> in a fresh process.</summary>
    public static double MeasureApart(int queries)
    {
        string[] arguments = [typeof(SearchMemory).Assembly.Location, "memory", queries.ToString(CultureInfo.InvariantCulture)];
        ProcessStartInfo start = new("dotnet", arguments) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return double.Parse(output, CultureInfo.InvariantCulture);
    }
}
