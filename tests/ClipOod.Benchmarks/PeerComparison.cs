using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ClipOod.Autodiff;
using ClipOod.Notebook;

namespace ClipOod.Benchmarks;

/// <summary>
/// Runs our work and peers.py on the same data, one after the other, alternating, and writes artifacts/benchmarks.md.
/// Other programs on the machine disturb both alike, so ratios of medians are what counts; processor time shows the
/// work done where the machine was busy.
/// </summary>
internal static class PeerComparison
{
    private const int Rounds = 3;
    private static readonly int[] _memoryQueries = [2_000, 8_000, 20_000];

    // CLIPOOD_PYTHON names another interpreter than Debian's, which has the peers as packages.
    private static readonly string _python = Environment.GetEnvironmentVariable("CLIPOOD_PYTHON") ?? "/usr/bin/python3";

    /// <summary>Runs the groups of work whose names contain a text, all where it is empty.</summary>
    public static int Run(string filter)
    {
        (string Name, Action<Report, string> Add)[] groups =
        [
            ("search", AddSearch),
            ("metrics", AddMetrics),
            ("head", AddHead),
            ("clip-forward", AddImageForward),
            ("clip-vit-step", (report, folder) => report.Rows.Add(ClipComparison.ImageStep(folder))),
            ("clip-text-step", (report, folder) => report.Rows.Add(ClipComparison.TextStep(folder))),
            ("clip-files", AddFiles),
            ("clip-load", AddLoading),
        ];
        var chosen = groups.Where(group => group.Name.Contains(filter, StringComparison.Ordinal)).ToList();
        if (chosen.Count == 0)
        {
            Console.Error.WriteLine($"No group of benchmarks is named like '{filter}'. There are: {string.Join(", ", groups.Select(group => group.Name))}.");
            return 1;
        }

        Report report = new();
        foreach ((_, Action<Report, string> add) in chosen)
        {
            DirectoryInfo data = Directory.CreateTempSubdirectory("clipood-benchmarks-");
            try
            {
                add(report, data.FullName);
            }
            finally
            {
                data.Delete(recursive: true);
            }
        }

        string file = Path.Combine(Workloads.ArtifactsFolder(), filter.Length == 0 ? "benchmarks.md" : $"benchmarks-{filter}.md");
        string text = Write(report);
        File.WriteAllText(file, text);
        Console.WriteLine(text);
        Console.WriteLine($"Written to {file}");
        return report.Rows.All(row => row.Met) && report.LoadingMet ? 0 : 1;
    }

    private static void AddSearch(Report report, string folder)
    {
        Embeddings train = Workloads.UnitRows(Workloads.TrainRows, 1), queries = Workloads.UnitRows(Workloads.Queries, 2);
        Write(folder, "train.f32", MemoryMarshal.AsBytes(train.Values));
        Write(folder, "queries.f32", MemoryMarshal.AsBytes(queries.Values));
        string work = Text($"1-NN of {Workloads.Queries:N0} queries in {Workloads.TrainRows:N0} x {Workloads.Width}");

        // Ours includes encoding the training rows, as a caller who asks once pays for it.
        Func<double> ours = () => Similarity.TopK(queries, train, 1).Cosines.Values.ToArray().Average();
        report.Rows.Add(Compare(work, ours, "numpy-1nn", folder, target: 2, tolerance: 1e-6));
        report.Rows.Add(Compare(work, ours, "faiss-1nn", folder, target: 3, tolerance: 1e-6));
        report.Notes.Add(DescribeSearchMemory([.. _memoryQueries.Select(SearchMemory.MeasureApart)]));
    }

    private static void AddMetrics(Report report, string folder)
    {
        IdScores id = Workloads.Scores("ID", Workloads.ScoresPerSide, 1, seed: 6);
        IdScores ood = Workloads.Scores("OOD", Workloads.ScoresPerSide, 0, seed: 7);
        Write(folder, "id.f64", MemoryMarshal.AsBytes(id.Values));
        Write(folder, "ood.f64", MemoryMarshal.AsBytes(ood.Values));
        string size = Text($"2 x {Workloads.ScoresPerSide:N0} scores");

        // The documented way of each: scikit-learn has a function for either, ours gives both at once.
        report.Rows.Add(Compare($"AUROC and FPR95 of {size}", Ours, "sklearn-two-calls", folder, target: 10, tolerance: 1e-9));
        report.Rows.Add(Compare("the same, scikit-learn from one curve", Ours, "sklearn-one-curve", folder, target: null, tolerance: 1e-9));

        double Ours()
        {
            OodMetrics all = Metrics.Evaluate(id, ood);
            return all.Auroc + all.Fpr95;
        }
    }

    private static void AddHead(Report report, string folder)
    {
        (Embeddings features, int[] labels) = Workloads.Classes(Workloads.HeadRows, Workloads.HeadClasses, seed: 4);
        Write(folder, "head.f32", MemoryMarshal.AsBytes(features.Values));
        Write(folder, "labels.i32", MemoryMarshal.AsBytes<int>(labels));

        // First weights and orders differ, so the last mean losses agree only roughly.
        report.Rows.Add(Compare(
            Text($"Seminar head: {Workloads.HeadRows:N0} x {Workloads.Width}, {Workloads.HeadClasses} classes, batch {HeadOptions.Seminar.BatchSize}, {HeadOptions.Seminar.Epochs} epochs"),
            () => LinearHead.Train(features, labels, Workloads.HeadClasses, HeadOptions.Seminar).History[^1],
            "torch-head", folder, target: 2, tolerance: 0.02));
    }

    private static void AddImageForward(Report report, string folder)
    {
        (Row row, string note) = ClipComparison.ImageForward(folder);
        report.Rows.Add(row);
        report.Notes.Add(note);
    }

    private static void AddFiles(Report report, string folder)
    {
        report.Rows.Add(ClipComparison.FromFiles(folder));
        report.Notes.Add(ClipComparison.FromPhotographs(folder));
    }

    private static void AddLoading(Report report, string folder)
    {
        string file = ClipComparison.WriteVitB32(folder);
        long weights = new FileInfo(file).Length;
        ModelLoading loading = Enumerable.Range(0, Rounds).Select(_ => ModelLoading.MeasureApart(file)).OrderBy(run => run.Seconds).ElementAt(Rounds / 2);
        report.LoadingMet = loading.Seconds < ModelLoading.MostSeconds && loading.PeakBytes < ModelLoading.MostMemory * weights;
        report.Notes.Add($"Loading ViT-B/32 from safetensors until an image and a text are encoded, in a process of its own: {loading.Describe(weights)}.");
    }

    internal static Row Compare(string work, Func<double> ours, string task, string folder, double? target, double tolerance) =>
        Compare(work, ours, task, () => RunPeer(task, folder), target, tolerance);

    /// <summary>Times ours and the peer by turns, and checks that both give the same; what prepares each of our runs is not timed.</summary>
    internal static Row Compare(
        string work, Func<double> ours, string task, Func<Timing> peer, double? target, double tolerance, Action? prepare = null)
    {
        prepare?.Invoke();
        ours();
        List<Timing> our = [], their = [];
        for (int round = 1; round <= Rounds; round++)
        {
            prepare?.Invoke();
            our.Add(Time(ours, "ours"));
            their.Add(peer());
            Console.WriteLine(Text($"{task} round {round}: ours {our[^1].Seconds:F3} s, peer {their[^1].Seconds:F3} s"));
        }

        return Math.Abs(our[^1].Value - their[^1].Value) <= tolerance * Math.Abs(their[^1].Value)
            ? new Row(work, our, their, target)
            : throw new InvalidOperationException(Text(
                $"{task}: our result is {our[^1].Value:R} but the peer's is {their[^1].Value:R}: they did not do the same work."));
    }

    internal static Timing Time(Func<double> work, string version)
    {
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        Stopwatch watch = Stopwatch.StartNew();
        double value = work();
        return new Timing(watch.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds, value, version);
    }

    internal static Timing RunPeer(string task, string folder)
    {
        ProcessStartInfo start = new(_python, [Path.Combine(AppContext.BaseDirectory, "peers.py"), task, folder])
        {
            RedirectStandardOutput = true,
        };
        foreach (string name in start.Environment.Keys.Where(key => key.StartsWith("OPENBLAS_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<Timing>(output, JsonSerializerOptions.Web)!
            : throw new InvalidOperationException(
                $"{_python} peers.py {task} failed with exit code {process.ExitCode}. It needs numpy, faiss, scikit-learn and torch with OpenBLAS; CLIPOOD_PYTHON names another interpreter.");
    }

    private static string Write(Report report)
    {
        StringBuilder text = new();
        text.AppendLine("# Benchmarks").AppendLine();
        text.AppendLine(Text($"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC. {Machine()}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}. {Engine.Describe()}."));
        text.AppendLine(Text($"Medians of {Rounds} rounds, ours and the peer in turn on the same data; the peers run without OPENBLAS_* variables.")).AppendLine();
        text.AppendLine("| work | peer | ours, s | peer, s | times as fast | target | met | processor time, ours, s | peer, s |");
        text.AppendLine("|---|---|--:|--:|--:|--:|---|--:|--:|");
        foreach (Row row in report.Rows)
        {
            text.AppendLine(Text($"| {row.Work} | {row.Theirs[0].Version} | {Median(row.Ours, t => t.Seconds):F3} | {Median(row.Theirs, t => t.Seconds):F3} | {row.Ratio:F2} | {row.Target:0.#} | {(row.Target is null ? "" : row.Met ? "yes" : "no")} | {Median(row.Ours, t => t.Processor):F3} | {Median(row.Theirs, t => t.Processor):F3} |"));
        }

        report.Notes.ForEach(note => text.AppendLine().AppendLine(note));
        return text.ToString();
    }

    private static string DescribeSearchMemory(double[] memory)
    {
        StringBuilder text = new();
        text.AppendLine(Text($"Memory of the first 1-NN search in {Workloads.TrainRows:N0} x {Workloads.Width}, beside the data: rise of the working set, each in a process of its own.")).AppendLine();
        text.AppendLine("| queries | MiB |").AppendLine("|--:|--:|");
        for (int i = 0; i < memory.Length; i++)
        {
            text.AppendLine(Text($"| {_memoryQueries[i]:N0} | {memory[i]:F0} |"));
        }

        return text.ToString().TrimEnd();
    }

    private static string Machine()
    {
        const string CpuInfo = "/proc/cpuinfo";
        string? model = File.Exists(CpuInfo)
            ? File.ReadLines(CpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        double gibibytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024);
        return Text($"{model ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores, {gibibytes:F0} GiB");
    }

    internal static void Write(string folder, string name, ReadOnlySpan<byte> bytes) => File.WriteAllBytes(Path.Combine(folder, name), bytes);

    internal static double Median(List<Timing> timings, Func<Timing, double> value) =>
        timings.Select(value).Order().ElementAt(timings.Count / 2);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The rows of the table and what follows it.</summary>
    private sealed class Report
    {
        public List<Row> Rows { get; } = [];

        public List<string> Notes { get; } = [];

        public bool LoadingMet { get; set; } = true;
    }
}

/// <summary>One run: time, processor time, a value to compare and who made it.</summary>
internal sealed record Timing(double Seconds, double Processor, double Value, string Version);

/// <summary>A row of the table.</summary>
internal sealed record Row(string Work, List<Timing> Ours, List<Timing> Theirs, double? Target)
{
    public double Ratio => PeerComparison.Median(Theirs, t => t.Seconds) / PeerComparison.Median(Ours, t => t.Seconds);

    public bool Met => Target is null || Ratio >= Target;
}
