using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ClipOod.Notebook.Tests.Hosting;

public sealed class NotebookFolderTests
{
    [Theory]
    [InlineData("ClipOod.Notebook")]
    [InlineData("ClipOod.Clip")]
    [InlineData("ClipOod.Autodiff")]
    public void Build_LaysEachLibraryWithItsDocumentation(string library)
    {
        Assert.True(File.Exists(Path.Combine(Folder(), library + ".dll")));
        Assert.True(File.Exists(Path.Combine(Folder(), library + ".xml")));
    }

    [Theory]
    [InlineData("onnxruntime", "onnxruntime.dll", "libonnxruntime.dylib", "libonnxruntime.so")]
    [InlineData("SkiaSharp", "libSkiaSharp.dll", "libSkiaSharp.dylib", "libSkiaSharp.so")]
    public void Build_LaysNativeFilesOfThisPlatformFlat(string name, string windows, string mac, string linux)
    {
        string file = OperatingSystem.IsWindows() ? windows : OperatingSystem.IsMacOS() ? mac : linux;
        Assert.True(File.Exists(Path.Combine(Folder(), file)), $"{name}: there is no {file} in {Folder()}.");
    }

    // Two FSharp.Core in one process, the host's and ours, would give types that do not match, and no chart.
    [Fact]
    public void EveryAssembly_AsksForTheFSharpCoreThatLiesThere()
    {
        Version wanted = AssemblyName.GetAssemblyName(Path.Combine(Folder(), "FSharp.Core.dll")).Version!;
        (string File, Version Version)[] references = [.. Directory.GetFiles(Folder(), "*.dll").Order(StringComparer.Ordinal).SelectMany(FSharpCoreReferences)];

        Assert.Subset(references.Select(reference => reference.File).ToHashSet(), new HashSet<string> { "DynamicObj.dll", "Fable.Core.dll", "Giraffe.ViewEngine.dll", "Plotly.NET.dll" });
        Assert.All(references, reference => Assert.Equal(wanted, reference.Version));
    }

    private static IEnumerable<(string File, Version Version)> FSharpCoreReferences(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        if (!file.HasMetadata)
        {
            return [];
        }

        MetadataReader metadata = file.GetMetadataReader();
        return
        [
            .. metadata.AssemblyReferences.Select(metadata.GetAssemblyReference)
                .Where(reference => metadata.StringComparer.Equals(reference.Name, "FSharp.Core"))
                .Select(reference => (Path.GetFileName(path), reference.Version)),
        ];
    }

    private static string Folder() => Path.Combine(Repository.Root, "artifacts", "notebook");
}
