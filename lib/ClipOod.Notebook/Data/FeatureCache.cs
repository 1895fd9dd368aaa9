using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Feature sets computed once and kept as files. Several processes may ask at once: one computes, the others wait. A process killed half way
/// leaves nothing under a final name, and a file that cannot be read is computed anew.
/// </summary>
/// <param name="folder">Folder of the files; its name holds the key of everything that the features depend on.</param>
internal sealed class FeatureCache(string folder)
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    /// <summary>The folder of the files.</summary>
    public string Folder { get; } = folder;

    /// <summary>The set of a name, read or computed.</summary>
    /// <param name="name">Name of the file, without its ending.</param>
    /// <param name="compute">Computes the set where it is not there or cannot be read.</param>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public FeatureSet GetOrCompute(string name, Func<FeatureSet> compute)
    {
        string path = Path.Combine(Folder, $"{name}.safetensors");
        if (TryLoad(path) is FeatureSet found)
        {
            return found;
        }

        Directory.CreateDirectory(Folder);
        using FileStream theLock = Lock(Path.Combine(Folder, $"{name}.lock"));
        if (TryLoad(path) is FeatureSet made)
        {
            return made;
        }

        FeatureSet set = compute();
        AtomicFile.Write(path, set.Save);
        return FeatureSet.Load(path);
    }

    private static FeatureSet? TryLoad(string path)
    {
        try
        {
            return FeatureSet.Load(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    // The operating system frees the lock when its process ends, in whichever way.
    private static FileStream Lock(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                Thread.Sleep(_pause);
            }
        }
    }
}
