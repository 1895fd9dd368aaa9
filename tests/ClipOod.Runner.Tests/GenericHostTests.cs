using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests;

/// <summary>Reading, running and rendering notebooks serves any workbook; only the commands know what this one is about.</summary>
public class GenericHostTests
{
    private static readonly string _runner = Path.Combine(Repository.Root, "lib", "ClipOod.Runner");

    [Theory]
    [InlineData("Documents")]
    [InlineData("Downloading")]
    [InlineData("Execution")]
    [InlineData("Kernel")]
    [InlineData("Rendering")]
    public void Sources_OutsideTheCommands_MentionNoSubject(string folder)
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(_runner, folder), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

        Assert.NotEmpty(files);
        Assert.All(files, file =>
        {
            string text = File.ReadAllText(file).Replace("ClipOod.Runner", "", StringComparison.Ordinal);
            Assert.All(
                ["CLIP", "OOD", "ClipOod", "out-of-distribution", "Runner.Commands"],
                word => Assert.DoesNotContain(word, text, StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Folders_OfTheRunner_AreTheseAndTheCommands() => Assert.Equal(
        ["Commands", "Documents", "Downloading", "Execution", "Kernel", "Rendering"],
        Directory.GetDirectories(_runner).Select(Path.GetFileName).Except(["bin", "obj"]).Order(StringComparer.Ordinal));

    // Notebooks see what the program makes public.
    [Fact]
    public void PublicTypes_AreThoseOfDotNetInteractive() => Assert.All(
        typeof(Workbook).Assembly.GetExportedTypes(), type => Assert.Contains(type.Namespace, new[] { "Microsoft.DotNet.Interactive", "System" }));

    // The runtime loads the program's own copy of an assembly in place of the library's, which must find there what it was built with.
    [Fact]
    public void Assemblies_OfTheProgram_AreNoOlderThanThoseOfTheLibrary()
    {
        string[] both = [.. Directory.GetFiles(Path.Combine(Repository.Root, "artifacts", "notebook"), "*.dll")
            .Where(file => File.Exists(Path.Combine(AppContext.BaseDirectory, Path.GetFileName(file))))
            .Where(file => Path.GetFileName(file) is "FSharp.Core.dll" or "Newtonsoft.Json.dll" or "Plotly.NET.dll" or "System.Numerics.Tensors.dll")];

        Assert.Equal(4, both.Length);
        Assert.All(both, file => Assert.Null(ReferencedAssembly.OlderLoadedInstead(file)));
    }
}
