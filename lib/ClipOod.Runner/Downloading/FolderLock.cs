namespace ClipOod.Runner.Downloading;

/// <summary>Sees to it that one process at a time writes into a folder. The operating system frees the lock when its process ends, in whichever way.</summary>
internal sealed class FolderLock : IDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Waits until no other process has the folder.</summary>
    /// <param name="folder">The folder; it is made where there is none.</param>
    /// <param name="waits">Called once, where another process has it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    public static async Task<FolderLock> TakeAsync(string folder, Action waits, CancellationToken cancellation)
    {
        string path = Path.Combine(Directory.CreateDirectory(folder).FullName, ".lock");
        for (bool told = false; ; told = true)
        {
            try
            {
                return new FolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                if (!told)
                {
                    waits();
                }

                await Task.Delay(_pause, cancellation);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
