using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClipOod.Clip;

namespace ClipOod.Benchmarks;

/// <summary>What loading a model takes until it has encoded an image and a text, in a process of its own.</summary>
/// <param name="Seconds">Time.</param>
/// <param name="PeakBytes">The largest working set of the process, all of .NET and the mapped file included.</param>
internal sealed record ModelLoading(double Seconds, long PeakBytes)
{
    /// <summary>The time that ViT-B/32 may take.</summary>
    public const double MostSeconds = 5;

    /// <summary>The memory that it may take, as a multiple of the weights' file.</summary>
    public const double MostMemory = 2.2;

    /// <summary>Loads a model in this process.</summary>
    public static ModelLoading Measure(string path)
    {
        Stopwatch watch = Stopwatch.StartNew();
        using ClipModel model = ClipModel.Load(path);
        int size = model.ImageProcessor.Size;
        model.EncodeImages([new RgbImage(size, size, new byte[3 * size * size])]);
        int[,] tokens = new int[1, model.ContextLength];
        tokens[0, 1] = model.Config.VocabularySize - 1;
        model.EncodeTokens(tokens);
        double seconds = watch.Elapsed.TotalSeconds;
        using Process process = Process.GetCurrentProcess();
        return new ModelLoading(seconds, process.PeakWorkingSet64);
    }

    /// <summary>Runs <see cref="Measure"/> in a fresh process.</summary>
    public static ModelLoading MeasureApart(string path)
    {
        ProcessStartInfo start = new("dotnet", [typeof(ModelLoading).Assembly.Location, "load", path]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return JsonSerializer.Deserialize<ModelLoading>(output)!;
    }

    /// <summary>For example "loading ... 1.9 s, ...".</summary>
    public string Describe(long weights) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Seconds:F2} s (at most {MostSeconds:F0}), {PeakBytes / 1e6:F0} MB, {(double)PeakBytes / weights:F2} times the weights' {weights / 1e6:F0} MB (at most {MostMemory})");
}
