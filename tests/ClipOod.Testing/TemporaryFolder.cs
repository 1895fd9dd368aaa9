namespace ClipOod.Testing;

/// <summary>A folder that is deleted with all it holds at the end of a test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("clipood").FullName;

    /// <summary>The path of a file in it.</summary>
    /// <param name="name">Name of the file.</param>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file into it.</summary>
    /// <param name="name">Name of the file.</param>
    /// <param name="text">Its text.</param>
    /// <returns>The path of the file.</returns>
    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="Write(string, string)"/>
    /// <param name="name">Name of the file.</param>
    /// <param name="bytes">Its content.</param>
    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(PathOf(name), bytes);
        return PathOf(name);
    }

    /// <summary>Deletes the folder.</summary>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
