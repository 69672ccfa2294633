"""Lists as files (导出): what stands in each, how they are written, and long ones as a job."""
