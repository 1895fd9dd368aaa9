using System.Diagnostics;

namespace ClipOod.Autodiff.Tests;

public sealed class EngineTests
{
    [Fact]
    public void Describe_NamesVersionProviderAndThreads()
    {
        string text = Engine.Describe();
        Assert.Contains($"{Engine.Provider} execution provider", text, StringComparison.Ordinal);
        string threads = Environment.ProcessorCount == 1 ? "1 thread" : FormattableString.Invariant($"{Environment.ProcessorCount} threads");
        Assert.Contains($"execution provider, {threads}", text, StringComparison.Ordinal);
        Assert.Matches(@"^ONNX Runtime \d+\.\d+\.\d+, ", text);
    }

    [Theory]
    [InlineData("ClipOod.Autodiff", "Cpu", "Microsoft.ML.OnnxRuntime")]
    [InlineData("ClipOod.Autodiff", "Gpu", "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData("ClipOod.Notebook", "Cpu", "Microsoft.ML.OnnxRuntime")]
    [InlineData("ClipOod.Notebook", "Gpu", "Microsoft.ML.OnnxRuntime.Gpu")]
    public void Library_BuiltForAFlavor_ReferencesThatPackageOfOnnxRuntimeOnly(string library, string flavor, string package)
    {
        string answer = Dotnet("msbuild", $"lib/{library}", "-getItem:PackageReference", $"-p:OnnxRuntimeFlavor={flavor}");
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(answer);
        IEnumerable<string> references = document.RootElement.GetProperty("Items").GetProperty("PackageReference")
            .EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!);
        Assert.Equal([package], references.Where(name => name.StartsWith("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal)));
    }

    private static string Dotnet(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        return output;
    }
}
