using System.Globalization;
using System.Text;
using ClipOod.Autodiff;
using ClipOod.Clip;
using ClipOod.Notebook;

namespace ClipOod.Benchmarks;

/// <summary>
/// What <see cref="ClipPrecision.Int8"/> gives and costs: images a second of ViT-B/32's image tower with random weights, and the change of
/// zero-shot accuracy and AUROC in the world of pictograms. Writes artifacts/benchmarks-int8.md.
/// </summary>
internal static class Int8Comparison
{
    private const int Batch = 16;
    private const int Batches = 2;
    private const int Rounds = 7;
    private const double SpeedTarget = 1.7;
    private const double ChangeTarget = 0.3;

    /// <summary>Measures both; 0 where the targets are met.</summary>
    public static int Run()
    {
        StringBuilder text = new();
        text.AppendLine("# INT8").AppendLine();
        bool isFast = AddSpeed(text);
        text.AppendLine();
        bool isNear = AddQuality(text);
        string file = Path.Combine(Workloads.ArtifactsFolder(), "benchmarks-int8.md");
        File.WriteAllText(file, text.ToString());
        Console.WriteLine(text);
        Console.WriteLine($"Written to {file}");
        return isFast && isNear ? 0 : 1;
    }

    private static bool AddSpeed(StringBuilder text)
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("clipood-benchmarks-");
        try
        {
            using ClipModel single = ClipModel.Load(ClipComparison.WriteVitB32(data.FullName));
            using ClipModel codes = single.Copy();
            codes.Precision = ClipPrecision.Int8;
            RgbImage[] images = [.. Enumerable.Range(0, Batch * Batches).Select(i => Noise(single.ImageProcessor.Size, seed: i))];
            double Encode(ClipModel model) => model.EncodeImages(images, new ClipEncodingOptions { BatchSize = Batch }).Values[0];
            Encode(single);
            Encode(codes);

            // By turns, as other programs on the machine disturb both alike.
            List<Timing> ours = [], theirs = [];
            for (int round = 0; round < Rounds; round++)
            {
                theirs.Add(PeerComparison.Time(() => Encode(single), "FP32"));
                ours.Add(PeerComparison.Time(() => Encode(codes), codes.PrecisionName));
            }

            double PerSecond(List<Timing> timings) => images.Length / PeerComparison.Median(timings, timing => timing.Seconds);
            double ratio = PerSecond(ours) / PerSecond(theirs);
            double processor = PeerComparison.Median(theirs, timing => timing.Processor) / PeerComparison.Median(ours, timing => timing.Processor);
            text.AppendLine(CultureInfo.InvariantCulture, $"ViT-B/32's image tower with random weights, batches of {Batch}, medians of {Rounds} rounds by turns, {Engine.Describe()}, {(codes.PrecisionName == "INT8" ? "with" : "without")} 8-bit sums in 32 bits (VNNI).").AppendLine();
            text.AppendLine("| precision | images a second | processor time, s |").AppendLine("|---|--:|--:|");
            text.AppendLine(CultureInfo.InvariantCulture, $"| FP32 | {PerSecond(theirs):F1} | {PeerComparison.Median(theirs, timing => timing.Processor):F3} |");
            text.AppendLine(CultureInfo.InvariantCulture, $"| {codes.PrecisionName} | {PerSecond(ours):F1} | {PeerComparison.Median(ours, timing => timing.Processor):F3} |").AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture, $"{ratio:F2} times as fast (target {SpeedTarget} with VNNI), with {processor:F2} times less processor time.");
            return ratio >= SpeedTarget || codes.PrecisionName != "INT8";
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static bool AddQuality(StringBuilder text)
    {
        PictogramFolder folder = PictogramFolder.Open(Path.Combine(Directory.GetParent(Workloads.ArtifactsFolder())!.FullName, "data", PictogramWorld.WorldName));
        World In(ClipPrecision precision) => PictogramWorld.Open(new PictogramStudio(folder, Path.Combine(Workloads.ArtifactsFolder(), "cache"), precision), seed: 0);
        (World single, World codes) = (In(ClipPrecision.Single), In(ClipPrecision.Int8));
        text.AppendLine("Percent in the world of pictograms, FP32 → INT8 (change in points).").AppendLine();
        text.AppendLine("| ID set | zero-shot accuracy | OOD set | AUROC of MCM | AUROC of 1-NN |").AppendLine("|---|--:|---|--:|--:|");
        double largest = 0;
        foreach (string role in new[] { "A", "B", "C" })
        {
            (Bench one, Bench other) = (single.Bench(role), codes.Bench(role));
            string accuracy = Change(Accuracy(one), Accuracy(other), ref largest);
            foreach (string ood in one.Ood.Keys)
            {
                string mcm = Change(Auroc(one, "mcm", ood), Auroc(other, "mcm", ood), ref largest), nearest = Change(Auroc(one, "1-nn", ood), Auroc(other, "1-nn", ood), ref largest);
                text.AppendLine(CultureInfo.InvariantCulture, $"| {one.Id.Name} | {accuracy} | {ood} | {mcm} | {nearest} |");
            }
        }

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"The largest change is {largest:F2} points (aim: within {ChangeTarget}).");
        return largest <= ChangeTarget;
    }

    private static double Accuracy(Bench bench)
    {
        Matrix cosines = Similarity.Cosines(bench.Test.Features, bench.Id.Text.Features);
        return Enumerable.Range(0, bench.Test.Count).Average(i => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(cosines[i]) == bench.Test.Labels[i] ? 100.0 : 0);
    }

    private static double Auroc(Bench bench, string detector, string ood)
    {
        (IdScores id, IdScores other) = bench.Score(DetectorCatalog.Of(detector), ood);
        return 100 * Metrics.Evaluate(id, other).Auroc;
    }

    private static string Change(double before, double after, ref double largest)
    {
        largest = Math.Max(largest, Math.Abs(after - before));
        return string.Create(CultureInfo.InvariantCulture, $"{before:F2} → {after:F2} ({after - before:+0.00;-0.00;0.00})");
    }

    private static RgbImage Noise(int side, int seed)
    {
        byte[] pixels = new byte[3 * side * side];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(side, side, pixels);
    }
}
