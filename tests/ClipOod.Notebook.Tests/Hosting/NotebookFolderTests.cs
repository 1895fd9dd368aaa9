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

    private static string Folder() => Path.Combine(Repository.Root, "artifacts", "notebook");
}
