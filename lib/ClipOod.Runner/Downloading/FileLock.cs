namespace ClipOod.Runner.Downloading;

/// <summary>Sees to it that one process at a time does something. The operating system frees the lock when its process ends, in whichever way.</summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits until no other process has the lock.</summary>
    /// <param name="path">Its file, which stays; its folder is made where there is none.</param>
    /// <param name="waits">Called once, where another process has it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="UnauthorizedAccessException">The file cannot be written to.</exception>
    public static async Task<FileLock> TakeAsync(string path, Action waits, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (bool told = false; ; told = true)
        {
            try
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
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
